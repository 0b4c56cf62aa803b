import { readFile } from "node:fs/promises";
import { packageFile } from "../base/package-file.ts";
import { configDirectory, type DesiredFile, type DesiredProgram } from "./desired.ts";
import type { LoadedInstance } from "./loaded-instance.ts";

type ReadInput = (file: string) => Promise<Buffer>;

/** The files of one instance: environment, configuration, logrotate and, where the package has none, the unit. */
export async function instanceFiles(
  { instance, config }: LoadedInstance,
  program: DesiredProgram | undefined,
  readInput: ReadInput,
): Promise<DesiredFile[]> {
  const { name, account, configFile, envFile } = instance;
  const ours = { owner: "root", group: account, mode: "640", instance: name };
  const roots = { owner: "root", group: "root", mode: "644" };
  const text = (content: string) => Buffer.from(content, "utf8");
  const env = `${configDirectory}/${name}.env`;
  // logrotate refuses a file that two of its configurations name, and the .deb brings one.
  const isRotated = (path: string) =>
    program?.kind === "deb" && /^\/var\/log\/rsyncdirector(?:-push)?\/[^/]+\.log$/.test(path);
  const logs = config.logging.flatMap((log) => (log.type === "file" && !isRotated(log.path) ? [log.path] : []));
  return [
    ...(envFile === undefined ? [] : [{ ...ours, path: env, content: await readInput(envFile), keepsOld: true }]),
    {
      ...ours,
      path: `${configDirectory}/${name}.yaml`,
      content: await readInput(configFile),
      keepsOld: true,
      check: checkCommand(envFile === undefined ? undefined : env),
    },
    ...(logs.length === 0
      ? []
      : [{ ...roots, path: `/etc/logrotate.d/rsyncdirector-${name}`, content: text(logrotate(logs)) }]),
    ...(program?.kind === "npm"
      ? [{ ...roots, path: "/etc/systemd/system/rsyncdirector@.service", content: await unitFile(), unit: true }]
      : []),
    {
      ...roots,
      path: `/etc/systemd/system/rsyncdirector@${name}.service.d/deploy.conf`,
      content: text(dropIn(account, envFile === undefined ? undefined : env)),
      instance: name,
      unit: true,
    },
  ];
}

/** With the environment that the unit will have, and nothing of it on a command line. */
function checkCommand(env: string | undefined): string {
  const check = 'rsyncdirector config check "$new" >/dev/null';
  if (env === undefined) return check;
  const read = `while IFS= read -r line; do case $line in [A-Za-z_]*=*) export "$line" ;; esac; done <${env}`;
  return `(${read}; ${check})`;
}

/** The daemon appends, so that the copy may be cut short under it. */
function logrotate(logs: readonly string[]): string {
  return `# Written by rsyncdirector deploy.
${logs.join(" ")} {
  weekly
  rotate 8
  compress
  delaycompress
  copytruncate
  missingok
  notifempty
}
`;
}

function dropIn(account: string, env: string | undefined): string {
  const user = account === "root" ? "" : `User=${account}\n`;
  return `# Written by rsyncdirector deploy.\n[Service]\n${user}${env === undefined ? "" : `EnvironmentFile=${env}\n`}`;
}

function unitFile(): Promise<Buffer> {
  return readFile(packageFile("systemd/rsyncdirector@.service"));
}
