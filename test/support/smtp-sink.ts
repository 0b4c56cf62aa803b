import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { TLSSocket, createSecureContext } from "node:tls";
import { onTestFinished } from "vitest";
import { makeCertificate } from "./certificate.ts";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and text as they came, without the dots that SMTP adds. */
  readonly data: string;
  readonly isEncrypted: boolean;
  /** `user:password`; undefined: nobody logged in. */
  readonly login: string | undefined;
}

export interface SmtpSink {
  readonly port: number;
  /** The certificate that the server shows, for who wants to trust it. */
  readonly caFile: string;
  readonly received: ReceivedMail[];
}

export interface SmtpSinkOptions {
  readonly startTls?: boolean;
  /** `user:password` that is let in; without it nobody has to log in. */
  readonly login?: string;
  /** Answers to commands that are not the usual ones, by the command's first word. */
  readonly answers?: Readonly<Record<string, string>>;
}

/** A mail server on loopback that keeps what it gets (RFC 5321, with STARTTLS and AUTH PLAIN); it ends with the test. */
export async function startSmtpSink(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const { keyFile, certificateFile: caFile } = await makeCertificate();
  const context = createSecureContext({ key: await readFile(keyFile), cert: await readFile(caFile) });
  const received: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket, { ...options, context, isEncrypted: false, received });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, caFile, received };
}

interface Session extends SmtpSinkOptions {
  readonly context: ReturnType<typeof createSecureContext>;
  readonly isEncrypted: boolean;
  readonly received: ReceivedMail[];
}

function serve(socket: Socket, session: Session): void {
  let buffer = "";
  let mail = { from: "", to: [] as string[], data: "" };
  let login: string | undefined;
  let isData = false;
  const say = (line: string) => void socket.write(`${line}\r\n`);

  const hear = (line: string): void => {
    if (isData) {
      if (line !== ".") return void (mail.data += `${line.replace(/^\./, "")}\n`);
      isData = false;
      session.received.push({ ...mail, isEncrypted: session.isEncrypted, login });
      return say("250 kept");
    }
    const [word = "", ...words] = line.split(" ");
    const command = word.toUpperCase();
    const unusual = session.answers?.[command];
    if (unusual !== undefined) return say(unusual);
    switch (command) {
      case "EHLO": {
        const offersTls = session.startTls === true && !session.isEncrypted;
        const offers = [
          "sink",
          ...(offersTls ? ["STARTTLS"] : []),
          ...(session.login === undefined ? [] : ["AUTH PLAIN"]),
        ];
        return offers.forEach((offer, index) => say(`250${index === offers.length - 1 ? " " : "-"}${offer}`));
      }
      case "STARTTLS":
        say("220 go ahead");
        socket.removeAllListeners("data");
        return serve(new TLSSocket(socket, { isServer: true, secureContext: session.context }), {
          ...session,
          isEncrypted: true,
        });
      case "AUTH":
        login = Buffer.from(words[1] ?? "", "base64")
          .toString()
          .split("\0")
          .slice(1)
          .join(":");
        return say(login === session.login ? "235 welcome" : "535 not you");
      case "MAIL":
        mail = { from: line.replace(/^.*<(.*)>.*$/, "$1"), to: [], data: "" };
        return say(session.login !== undefined && login !== session.login ? "530 log in first" : "250 ok");
      case "RCPT":
        mail.to.push(line.replace(/^.*<(.*)>.*$/, "$1"));
        return say("250 ok");
      case "DATA":
        isData = true;
        return say("354 go on");
      case "QUIT":
        say("221 bye");
        return void socket.end();
      default:
        return say("250 ok");
    }
  };

  socket.on("error", () => undefined);
  socket.setEncoding("utf8").on("data", (text: string) => {
    buffer += text;
    for (let end = buffer.indexOf("\r\n"); end >= 0; end = buffer.indexOf("\r\n")) {
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      hear(line);
    }
  });
  if (!session.isEncrypted) say(session.answers?.["CONNECT"] ?? "220 sink ESMTP");
}
