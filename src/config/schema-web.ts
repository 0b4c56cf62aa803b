import Type from "typebox";
import { block, flag, listenPort, text, textList } from "./schema-parts.ts";

const { Optional } = Type;

export const webBlock = block("web", "The status page and the API on TCP; off unless given.", {
  addr: Optional(
    text("listen-address", {
      description:
        "Address to listen on. Any but a loopback address needs `web_config_file` with TLS, and a token or users.",
      default: "127.0.0.1",
      examples: ["::1"],
    }),
  ),
  port: listenPort({ description: "Port to listen on; 0 lets the kernel choose.", examples: [8080] }),
  token_file: Optional(
    text("file-path", {
      description: "File (mode 0600) with the token that every request must bring: 16 characters or more.",
      examples: ["/etc/rsyncdirector/nas.token"],
    }),
  ),
  web_config_file: Optional(
    text("file-path", {
      description: "TLS and users, in the format of Prometheus' exporter-toolkit; read again when it changes.",
      examples: ["/etc/rsyncdirector/web.yml"],
    }),
  ),
  allowed_hosts: Optional(
    textList("host-and-port", {
      description:
        "Names by which browsers may ask, each with its port or for any port; besides the address, `localhost` and the name of this host.",
      examples: [["backup.example.org"]],
    }),
  ),
  allow_actions: Optional(
    flag({
      description:
        "Whether jobs can be run, paused and cancelled here; `true` unless given where a token or users are, else `false`.",
    }),
  ),
});

export type RawWeb = Type.Static<typeof webBlock>;
