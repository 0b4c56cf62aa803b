import { createHash, timingSafeEqual } from "node:crypto";
import { describeError, OperatorError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { fingerprint, readPrivateFile } from "./private-file.ts";
import { readWebConfig, type WebConfig } from "./web-config-file.ts";

/** What a request has to bring, as the files say at this moment. */
export interface Credentials {
  /** undefined: there is no token. */
  readonly token: string | undefined;
  readonly web: WebConfig;
}

export interface CredentialFiles {
  readonly tokenFile: string | undefined;
  readonly webConfigFile: string | undefined;
}

const shortestToken = 16;
const nobody: WebConfig = { tls: undefined, users: new Map() };

/** Throws an `OperatorError` when a file is missing, wrong, or open to others. */
function readCredentials({ tokenFile, webConfigFile }: CredentialFiles): Credentials {
  return {
    token: tokenFile === undefined ? undefined : readToken(tokenFile),
    web: webConfigFile === undefined ? nobody : readWebConfig(webConfigFile),
  };
}

function readToken(path: string): string {
  const token = readPrivateFile(path, { key: "web.token_file", forbidden: 0o077 }).trim();
  if (token.length < shortestToken || !/^[\x21-\x7e]+$/.test(token)) {
    const problem = `must have one line of ${shortestToken} or more printable characters (openssl rand -hex 32)`;
    throw new OperatorError(`web.token_file: ${path} ${problem}`, { kind: "usage" });
  }
  return token;
}

/**
 * The credentials of each moment: the files are read again when they have changed. undefined: they cannot be used
 * any more, and then nobody is let in, since whoever took them away may have meant just that.
 */
export function keepCredentials(files: CredentialFiles, log: Logger): () => Credentials | undefined {
  const paths = [files.tokenFile, files.webConfigFile].flatMap((path) => path ?? []);
  let seen = fingerprint(paths);
  let current: Credentials | undefined = readCredentials(files);
  return () => {
    const now = fingerprint(paths);
    if (now === seen) return current;
    seen = now;
    try {
      current = readCredentials(files);
      log.info({}, "token and users were read again");
    } catch (error) {
      current = undefined;
      log.error({ error: describeError(error) }, "token and users cannot be read: nobody is let in");
    }
    return current;
  };
}

/** Takes the same time wherever the texts differ, whatever their lengths. */
export function sameSecret(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
