import type { HookMoment, NoticeEvent } from "./notice-words.ts";

/** What all channels have in common. */
export interface ChannelRules {
  readonly id: string;
  readonly on: readonly NoticeEvent[];
  /** Patterns of job ids; undefined: all jobs. */
  readonly jobs: readonly string[] | undefined;
  /** So many skipped runs in a row are told; undefined: none are. */
  readonly afterSkips: number | undefined;
  /** undefined: what is still wrong is not told again. */
  readonly repeatEveryMs: number | undefined;
  /** Of one try to deliver. */
  readonly timeoutMs: number;
  readonly retry: DeliveryRetry;
}

export interface DeliveryRetry {
  /** Further tries after the first. */
  readonly limit: number;
  readonly delayMs: number;
  readonly maxDelayMs: number;
}

export interface WebhookChannel extends ChannelRules {
  readonly type: "webhook";
  /** Templates: URL, values of headers, body; undefined: a JSON object with all fields. */
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Files by the names of the secrets in them. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface HealthchecksChannel extends ChannelRules {
  readonly type: "healthchecks";
  /** A template with `{{key}}` and `{{job}}`. */
  readonly url: string;
  readonly keyFile: string | undefined;
  readonly create: boolean;
  readonly exitStatus: boolean;
}

export interface NtfyChannel extends ChannelRules {
  readonly type: "ntfy";
  readonly url: string;
  readonly topic: string;
  readonly priority: "min" | "low" | "default" | "high" | "urgent" | undefined;
  readonly tags: readonly string[];
  readonly tokenFile: string | undefined;
}

export interface EmailChannel extends ChannelRules {
  readonly type: "email";
  readonly host: string;
  readonly port: number;
  readonly tls: "starttls" | "implicit" | "none";
  readonly caFile: string | undefined;
  readonly user: string | undefined;
  readonly passwordFile: string | undefined;
  /** undefined: `rsyncdirector@` and the name of the host. */
  readonly from: string | undefined;
  readonly to: readonly string[];
}

export interface CommandChannel extends ChannelRules {
  readonly type: "command";
  readonly argv: readonly string[];
}

export type Channel = WebhookChannel | HealthchecksChannel | NtfyChannel | EmailChannel | CommandChannel;

/** Programs at moments of a job. */
export interface Hook {
  readonly on: readonly HookMoment[];
  /** One argv for each program, in their order. */
  readonly run: readonly (readonly string[])[];
  /** Each element of `run` is a script for `/bin/sh -c`. */
  readonly shell: boolean;
  readonly onlyIfChanged: boolean;
  /** Of each program. */
  readonly timeoutMs: number;
}
