/** What the manual says beside its tables. Every YAML example is loaded by a test. */
interface SectionText {
  title: string;
  /** Before the table. */
  text: string;
  /** After the table. */
  example?: string;
}

/** Keys are paths in the schema; the sections come in this order. */
export const sections: Readonly<Record<string, SectionText>> = {
  "": { title: "Top level", text: "" },
  metrics: {
    title: "metrics",
    text: "The Prometheus listener. It answers everybody who can reach the address, and nothing but `/metrics` and `/healthz`. The names are those of the Python original.",
    example: "metrics:\n  addr: 127.0.0.1\n  port: 9101",
  },
  web: {
    title: "web",
    text: "The status page and the API on TCP; without this block there is neither, and the command line speaks over the control socket. Who may do what, and the form of `web_config_file`, stand in [control socket and API](api.md#who-may-do-what). Any but a loopback address needs TLS, and a token or users.",
    example: "web:\n  port: 8080\n  token_file: /etc/rsyncdirector/nas.token",
  },
  logging: {
    title: "logging",
    text: "A list: each element is one place to which log lines go. The kind is chosen by `type`.",
    example:
      "logging:\n  - type: stdout\n    level: warn\n  - type: file\n    path: /var/log/rsyncdirector/nas.log\n    level: debug\n    format: logfmt",
  },
  history: {
    title: "history",
    text: "By a clock that is suddenly [far ahead](schedules.md#a-clock-that-is-far-ahead) nothing becomes too old.",
    example: "history:\n  keep_runs: 5000\n  keep_days: 365",
  },
  ssh: {
    title: "ssh",
    text: "Defaults for all connections to other hosts, those of rsync and those of the locks. What is not given here or at a job comes from the configuration of ssh (`~/.ssh/config`), which also resolves aliases. A job's own `ssh` block has the same keys except user, port and key, which are keys of the job itself; it overrides this one key by key.",
    example:
      "ssh:\n  user: backup\n  private_ssh_key: /etc/rsyncdirector/id_ed25519\n  host_key_policy: accept-new\n  options:\n    ServerAliveInterval: 15",
  },
  lock: {
    title: "lock",
    text: "The life of locks. A job's own `lock` block has the same keys except `operation_timeout`, and overrides this one key by key. What they mean, and how they depend on each other: [leases](locking.md#leases).",
    example: "lock:\n  heartbeat: 30\n  ttl: 20m\n  renew_deadline: 16m",
  },
  notify: {
    title: "notify",
    text: "A list: each element is one channel over which people, or other programs, are told. The kind is chosen by `type`. When what is told, and a recipe for each kind: [notifications](notifications.md).",
    example:
      "notify:\n  - type: ntfy\n    topic: backups-of-ann\n    token_file: /etc/rsyncdirector/ntfy-token\n  - type: healthchecks\n    url: https://hc-ping.com/{{key}}/{{job}}\n    key_file: /etc/rsyncdirector/ping-key",
  },
  "notify.retry": { title: "retry of notify", text: "" },
  defaults: {
    title: "defaults",
    text: "Any key of a job except `id`, `type`, `targets`, `actions` and `syncs`, for every job that does not set it. `ssh`, `lock`, `guard` and `retry` are combined key by key, anything else is replaced as a whole.",
    example: "defaults:\n  timeout: 6h\n  warn_after: 2h\n  retry: { limit: 2, delay: 1m }",
  },
  jobs: {
    title: "jobs",
    text: "A job waits until the locks it `blocks_on` are gone, takes its own `lock_files`, runs its actions one after the other, and frees its locks. The first action that fails ends the job; the next job runs all the same.",
    example: `jobs:
  - id: offsite
    type: remote
    host: backup01.example.com
    user: backup
    port: 22000
    private_ssh_key: /etc/rsyncdirector/id_ed25519
    schedule: "15 3 * * *"
    timezone: Europe/Berlin
    timeout: 5h
    concurrency: forbid
    actions:
      - action: sync
        id: data
        source: /srv/data/
        dest: /backup/data
        opts: [-a, --delete, "--exclude '*.tmp'"]`,
  },
  "jobs.targets": {
    title: "targets",
    text: "Several hosts that get the same, instead of `host`. A target takes from the job what it does not say itself. See [Several targets](targets.md).",
    example: `jobs:
  - id: www
    type: remote
    user: backup
    targets:
      - host: backup01
      - { id: office, host: backup02, port: 2222, dest: /srv/mirror/www/, bwlimit: 2M }
    max_parallel: 2
    actions:
      - { action: sync, id: pages, source: /srv/www/, dest: /backup/www/, opts: [-a] }`,
  },
  "jobs.lock_files": {
    title: "lock_files",
    text: "Locks that tell others that the job is at work. They are taken all together or not at all. A remote lock without `host` lies on the job's host, and then takes user, port and key from the job unless it gives its own. A lock on another host takes nothing from the job, only the top-level `ssh`.\n\nThe names with `.guard`, `.hold`, `.status`, `.tmp.*` and `.broken.*` added belong to the lock and cannot be locks themselves.",
    example: `jobs:
  - id: offsite
    type: remote
    host: backup01
    lock_files:
      - { type: local, path: /run/rsyncdirector-locks/offsite }
      - { type: remote, path: /run/rsyncdirector-locks/laptop01 }
    actions:
      - { action: sync, id: data, source: /srv/data/, dest: /backup/data, opts: [-a] }`,
  },
  "jobs.blocks_on": {
    title: "blocks_on",
    text: "Locks of others. The job begins when all of them are known to be gone: a host that does not answer counts as blocking.",
    example: `jobs:
  - id: offsite
    type: remote
    host: backup01
    blocks_on:
      - type: remote
        path: /run/rsyncdirector-locks/nightly-dump
        wait_time: 5m
        timeout: 2h
        on_timeout: fail
      - type: remote
        host: backup02
        user: backup
        path: /run/rsyncdirector-locks/pull
    actions:
      - { action: sync, id: data, source: /srv/data/, dest: /backup/data, opts: [-a] }`,
  },
  "jobs.retry": {
    title: "retry",
    text: "",
    example: `defaults:\n  retry:\n    limit: 3\n    delay: 30s\n    backoff: 3\n    exit_codes: [10, 12, 30, 255]`,
  },
  "jobs.exit_codes": {
    title: "exit_codes",
    text: "A list of rules for exit codes of the job's actions, for those whose usual meaning does not fit.",
    example: "defaults:\n  exit_codes:\n    - { code: 23, treat_as: warning }",
  },
  "jobs.watch": {
    title: "watch",
    text: "`watch: {}` takes the defaults. How to choose the times, and what is promised: [watched jobs](watching.md).",
    example: `jobs:
  - id: site
    type: remote
    host: web02.example.com
    watch: { debounce: 2s, max_delay: 30s, exclude: ["*.tmp"], delete: watch }
    actions:
      - { action: sync, id: site, source: /srv/www/, dest: /srv/www, rsync: { archive: true, exclude: "*.tmp" } }`,
  },
  "jobs.guard": {
    title: "guard",
    text: "When it looks, and how the limits are told: [the guard](watching.md#the-guard).",
    example: "defaults:\n  guard: { require_path: .mounted, max_delete: 100 }",
  },
  "jobs.track_changes": {
    title: "track_changes",
    text: "What is kept, and how to get it back: [what changed](watching.md#what-changed).",
    example: "defaults:\n  track_changes: { keep_last: 20, max_size: 5G }",
  },
  "jobs.hooks": {
    title: "hooks",
    text: "A list: each element runs programs at one or several moments of the job. When each of them is, and what a failure means: [hooks](notifications.md#hooks).",
    example: `jobs:
  - id: usb
    type: local
    hooks:
      - { on: start, run: mount /mnt/usb }
      - { on: finally, run: umount /mnt/usb }
    actions:
      - { action: sync, id: home, source: /home/, dest: /mnt/usb/home, opts: [-a] }`,
  },
  "jobs.actions": { title: "actions", text: "A list of steps; the kind is chosen by `action`." },
  "jobs.actions.rsync": {
    title: "rsync options by name",
    text: "Given to rsync before `opts`. `false` is the same as leaving a key out, but for `progress` and `whole_file`.",
    example: `jobs:
  - id: web
    type: local
    actions:
      - action: sync
        id: web
        source: /srv/www/
        dest: /backup/www
        rsync:
          archive: true
          delete: delay
          max_delete: 500
          exclude: [/cache/, "*.log"]
          bwlimit: 5M`,
  },
};
