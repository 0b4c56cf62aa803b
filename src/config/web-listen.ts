/** The status page and the API on TCP. */
export interface WebListen {
  readonly addr: string;
  /** 0 lets the kernel choose (tests). */
  readonly port: number;
  readonly tokenFile: string | undefined;
  readonly webConfigFile: string | undefined;
  /** `name` for any port, or `name:port`; besides those that are always right. */
  readonly allowedHosts: readonly string[];
  /** undefined: where a token or users are. */
  readonly allowActions: boolean | undefined;
}
