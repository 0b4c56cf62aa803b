/** What a complaint of csync2 means and what to do; csync2 ends with 1 for all of them. */
interface Remedy {
  readonly text: RegExp;
  readonly message: (match: RegExpExecArray, about: About) => string;
  /** It may pass by itself. */
  readonly passing?: boolean;
}

interface About {
  readonly file: string;
  readonly config: string | undefined;
  /** undefined: nothing was said to a peer. */
  readonly peer: string | undefined;
}

const remedies: readonly Remedy[] = [
  {
    text: /^This host \((.*)\) is not a member of any configured group/,
    message: ([, host = ""], { file }) =>
      `this host is not in a group of ${file} under the name ${host}: write it there, or set hostname to the name it has there`,
  },
  {
    text: /^Can not open config file `(.*)': (.*)/,
    message: ([, file = "", why = ""]) => `csync2 cannot open its configuration file ${file} (${why})`,
  },
  {
    text: /^Can't open database: (.*)/,
    message: ([, file = ""]) => `csync2 cannot open its database ${file}: the directory must exist and be writable`,
  },
  {
    text: /^(?:Config error: Can't read keyfile (.*)\.|Unallowed character '.' in key file (.*)\.|Config error: Key in file (.*) is too short\.)$/,
    message: ([line, ...files], { file }) =>
      `csync2 cannot use the key file ${files.find((name) => name !== undefined) ?? line} of ${file}: make one with csync2 -k and copy it to every host`,
  },
  {
    text: /^(?:Near line \d+: .*|Config error: .*|Config includes nested.*)/,
    message: ([line], { file }) => `csync2 does not understand ${file} (${line})`,
  },
  {
    text: /^Found (.*csync2\.lock)/,
    message: ([, file = ""]) => `csync2 does nothing while ${file} is there: remove it`,
    passing: true,
  },
  {
    text: /^Database backend is exceedingly busy/,
    message: () => "another csync2 on this host used the database for too long",
    passing: true,
  },
  {
    text: /^SSL: failed to use key file (\S+) and\/or certificate file (\S+?):/,
    message: ([, key = "", certificate = ""]) =>
      `csync2 has no certificate of its own: make ${key} and ${certificate}, or write nossl for these hosts into the configuration`,
  },
  {
    text: /^Peer did provide a wrong SSL X509/,
    message: (_, { peer = "" }) =>
      `${peer} has another certificate than the first time: if that is right, delete its row in the table x509_cert of csync2's database`,
  },
  {
    text: /^Config command failed/,
    message: (_, { peer = "", config }) =>
      `${peer} refused the configuration: it needs ${config === undefined ? "csync2.cfg" : `csync2_${config}.cfg`} and the key file as this host has them, under the same names`,
  },
  {
    text: /^SSL command failed/,
    message: (_, { peer = "" }) => `${peer} does not speak SSL: write nossl for these hosts into the configuration`,
  },
  {
    text: /^Cannot resolve peername, getaddrinfo: (.*)/,
    message: ([, why = ""], { peer = "" }) => `the name ${peer} has no address here (${why}): write it into /etc/hosts`,
    passing: true,
  },
  {
    text: /^Can't create socket: (.*)/,
    message: ([, why = ""], { peer = "" }) =>
      `${peer} cannot be reached (${why}): its csync2 has to answer on TCP port 30865; its files stay marked`,
    passing: true,
  },
  {
    text: /^ERROR: Connection to remote host/,
    message: (_, { peer = "" }) => `${peer} cannot be reached: its files stay marked`,
    passing: true,
  },
];

/** The meaning of the first complaint that has one; undefined: none has. */
export function meaningOfComplaints(
  complaints: readonly string[],
  about: About,
): { message: string; passing: boolean } | undefined {
  for (const complaint of complaints) {
    for (const { text, message, passing = false } of remedies) {
      const match = text.exec(complaint);
      if (match !== null) return { message: message(match, about), passing };
    }
  }
  return undefined;
}

/** What the answer of a peer to one file means. */
export function meaningOfAnswer(answer: string, peer: string): string {
  if (answer === "Permission denied!") {
    return `${peer} denies it: its key file differs from the one here, or its group does not have this host or the file`;
  }
  if (answer === "Permission denied for slave!") {
    return `${peer} has this host in brackets: such a host cannot send`;
  }
  if (answer === "Connection closed.") return `${peer} closed the connection`;
  return `${peer} answered: ${answer}`;
}
