import { readFile } from "node:fs/promises";
import { describeError } from "../base/errors.ts";
import { redactText } from "../base/redact.ts";
import { safeWord } from "../base/untrusted-text.ts";
import type { EmailChannel } from "../config/resolved-notify.ts";
import { type Delivery, failed, type Send, type SenderDeps } from "./channel-sender.ts";
import { describeAbort } from "./http-request.ts";
import { type Notice, textOf } from "./notice.ts";
import { hideSecrets, readSecret } from "./read-secret.ts";

/** A mail by SMTP. Where TLS is asked for, nothing is sent without it. */
export function createEmailSender(channel: EmailChannel, deps: SenderDeps): Send {
  return async (notice, signal) => {
    const secrets: string[] = [];
    try {
      const password = channel.passwordFile === undefined ? undefined : await readSecret(channel.passwordFile);
      if (password !== undefined) secrets.push(password);
      return await sendMail(channel, deps, { notice, password, signal });
    } catch (error) {
      if (signal.aborted) return failed(describeAbort(signal));
      return failed(safeWord(redactText(hideSecrets(describeError(error), secrets)), 300), {
        isFinal: isRefusal(error),
      });
    }
  };
}

async function sendMail(
  channel: EmailChannel,
  { hostname, version }: SenderDeps,
  { notice, password, signal }: { notice: Notice; password: string | undefined; signal: AbortSignal },
): Promise<Delivery> {
  const { host, port, tls, user, caFile, timeoutMs } = channel;
  const [{ createTransport }, ca] = await Promise.all([
    import("nodemailer"),
    caFile === undefined ? undefined : readFile(caFile, "utf8"),
  ]);
  const transport = createTransport({
    ...{ host, port, secure: tls === "implicit", requireTLS: tls === "starttls", ignoreTLS: tls === "none" },
    ...(ca !== undefined && { tls: { ca } }),
    ...(user !== undefined && password !== undefined && { auth: { user, pass: password } }),
    ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
  const stop = new Promise<never>((_, reject) => {
    const onAbort = () => reject(new Error(describeAbort(signal)));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    const sent = transport.sendMail({
      from: channel.from ?? `rsyncdirector@${hostname}`,
      to: [...channel.to],
      subject: notice.title,
      text: `${textOf(notice)}\n`,
      date: new Date(notice.at),
      headers: {
        "Auto-Submitted": "auto-generated",
        "X-Mailer": `rsyncdirector/${version}`,
        "X-Rsyncdirector-Event": notice.event,
        ...(notice.jobId !== "" && { "X-Rsyncdirector-Job": notice.jobId }),
      },
    });
    sent.catch(() => undefined);
    const { response, rejected } = await Promise.race([sent, stop]);
    const refused = rejected.length === 0 ? "" : `; refused for ${rejected.map(String).join(", ")}`;
    return { kind: "delivered", detail: safeWord(`${response}${refused}`, 300) };
  } finally {
    transport.close();
  }
}

/** 5xx is the server's last word (RFC 5321, 4.2.1). */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && "responseCode" in error && Number(error.responseCode) >= 500;
}
