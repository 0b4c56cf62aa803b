import { describe, expect, it } from "vitest";
import { classifyOpensshFailure } from "../../../src/ssh/openssh-failure.ts";

const changed = `@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Offending ED25519 key in /root/.ssh/known_hosts:3
Host key verification failed.\r
`;

describe("the words of the ssh client", () => {
  it.each([
    [
      "me@host: Permission denied (publickey).\n",
      "refused",
      "the login was refused: me@host: Permission denied (publickey).",
    ],
    [
      "No ED25519 host key is known for host and you have requested strict checking.\nHost key verification failed.\n",
      "refused",
      "the host key is not known: connect to it once with ssh and check the fingerprint",
    ],
    [
      changed,
      "refused",
      "the host key has CHANGED: either the host was set up anew or somebody is in between; Offending ED25519 key in /root/.ssh/known_hosts:3",
    ],
    [
      "command-line: line 0: Bad configuration option: nonsense\n",
      "refused",
      "command-line: line 0: Bad configuration option: nonsense",
    ],
    [
      "ssh: connect to host h port 22: Connection refused\r\n",
      "unreachable",
      "ssh: connect to host h port 22: Connection refused",
    ],
    [
      "kex_exchange_identification: Connection closed by remote host\n",
      "unreachable",
      "kex_exchange_identification: Connection closed by remote host",
    ],
    [
      "Welcome to the jungle\nReceived disconnect from 1.2.3.4 port 22:2: Too many authentication failures\n",
      "refused",
      "the login was refused: Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures",
    ],
    ["", "unreachable", "ssh ended with exit code 255"],
  ])("%j mean %s", (text, kind, message) => {
    expect(classifyOpensshFailure(text, "ssh ended with exit code 255")).toEqual({ kind, message });
  });
});
