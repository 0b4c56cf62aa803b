// The least that answers over HTTP in Node: arguments are the port and how many bytes every answer has.
import { createServer } from "node:http";

const [port, bytes] = process.argv.slice(2).map(Number);
const body = Buffer.alloc(bytes, "x");
createServer((_, answer) => answer.end(body)).listen(port, "127.0.0.1");
