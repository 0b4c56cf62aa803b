import { Command } from "commander";
import { describeError, OperatorError, systemErrorCode } from "../../base/errors.ts";
import type { PublicKey } from "../../deploy/public-key.ts";
import type { CommandContext } from "../command-context.ts";

interface AuthorizeOptions {
  readonly readOnly: readonly string[];
  readonly write: readonly string[];
  readonly locks: readonly string[];
  /** `--no-delete`. */
  readonly delete: boolean;
  readonly plainLinks?: boolean;
  readonly gate?: string;
  readonly install?: boolean;
  readonly authorizedKeys?: string;
}

/** `rsyncdirector authorize`: lets another host's key in here for its locks and copies, and for nothing else. */
export function newAuthorizeCommand(context: CommandContext): Command {
  const several = (value: string, before: readonly string[]) => [...before, value];
  return new Command("authorize")
    .description("Let a director's public key in on this host, for locks and rsync in given directories alone.")
    .argument("<key>", "the public key: a .pub file, or - for standard input")
    .option("--read-only <dir>", "a directory that it may pull from (repeatable)", several, [])
    .option("--write <dir>", "a directory that it may push into (repeatable)", several, [])
    .option("--locks <dir>", "a directory in which it may keep lock files (repeatable)", several, [])
    .option("--no-delete", "refuse every rsync that would delete")
    .option("--plain-links", "store symbolic links as they are; see below")
    .option("--gate <file>", "where gate.sh lies, with lock.sh and doctor.sh beside it (default: this program's own)")
    .option("--install", "put the line into authorized_keys instead of printing it")
    .option("--authorized-keys <file>", "which file that is (default: ~/.ssh/authorized_keys)")
    .action((key: string, options: AuthorizeOptions) => runAuthorize(key, options, context))
    .addHelpText("after", authorizeHelp);
}

const authorizeHelp = `
Symbolic links that are pushed are stored with /rsyncd-munged/ before their targets, and lose that again when they are
pulled through a gate. With --plain-links they are stored as they are: then whoever has the key can push a link and
write through it, wherever the account may write.

Examples:
  rsyncdirector authorize laptop.pub --write /backup/laptop --locks /run/rsyncdirector-locks
  rsyncdirector authorize laptop.pub --write /backup/laptop --locks /run/rsyncdirector-locks --install
  ssh laptop01 cat .ssh/id_ed25519.pub | rsyncdirector authorize - --read-only /srv/www

Exit status:
  0 printed, added, or there already   1 authorized_keys cannot be changed   78 wrong usage`;

async function runAuthorize(file: string, options: AuthorizeOptions, context: CommandContext): Promise<void> {
  const [{ parsePublicKey }, { gateLine }, { packageFile }] = await Promise.all([
    import("../../deploy/public-key.ts"),
    import("../../deploy/gate-line.ts"),
    import("../../base/package-file.ts"),
  ]);
  const key = parsePublicKey(await readKey(file));
  const gate = options.gate ?? packageFile("resources/gate.sh");
  const rights = { ...options, deletes: options.delete, plainLinks: options.plainLinks === true };
  const line = gateLine(key, rights, gate);
  if (options.install !== true) return void context.stdout.write(`${line}\n`);
  const target = options.authorizedKeys ?? (await ownKeysFile(context));
  context.stdout.write(`${await install(target, key, line)}\n`);
}

async function readKey(file: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  try {
    return await readFile(file === "-" ? "/dev/stdin" : file, "utf8");
  } catch (error) {
    throw new OperatorError(`the key ${file} cannot be read: ${describeError(error)}`, { kind: "usage", cause: error });
  }
}

async function ownKeysFile({ env }: CommandContext): Promise<string> {
  const [{ userInfo }, path] = await Promise.all([import("node:os"), import("node:path")]);
  return path.join(env["HOME"] ?? userInfo().homedir, ".ssh", "authorized_keys");
}

/** Puts the line into the file, for its owner alone, and says what was done. */
async function install(target: string, key: PublicKey, line: string): Promise<string> {
  const [{ chown, mkdir, readFile, stat }, path, { writeFileAtomically }, { editAuthorizedKeys }] = await Promise.all([
    import("node:fs/promises"),
    import("node:path"),
    import("../../base/atomic-file.ts"),
    import("../../deploy/authorized-keys.ts"),
  ]);
  try {
    const before = await readFile(target, "utf8").catch((error: unknown) => {
      if (systemErrorCode(error) === "ENOENT") return "";
      throw error;
    });
    const edited = editAuthorizedKeys(before, key, line);
    if (edited.kind === "unchanged") return `${target} has this line already`;
    if (edited.kind === "in-the-way") {
      const remedy = "remove that line first";
      throw new OperatorError(`${target}:${edited.line} lets this key in already, and not through the gate: ${remedy}`);
    }
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    // sshd reads it as the account to which it belongs.
    const owner = await stat(target).catch(() => stat(path.dirname(target)));
    await writeFileAtomically(target, edited.text, { mode: 0o600 });
    await chown(target, owner.uid, owner.gid);
    return edited.kind === "added"
      ? `the line was added to ${target}`
      : `the line of this key in ${target} was replaced`;
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(`${target} cannot be changed: ${describeError(error)}`, { cause: error });
  }
}
