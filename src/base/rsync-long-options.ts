/** Long options of rsync, without their dashes. */
const names = [
  "8-bit-output acls address append append-verify archive atimes backup backup-dir block-size blocking-io",
  "bwlimit cc checksum checksum-choice checksum-seed chmod chown compare-dest compress compress-choice",
  "compress-level compress-threads config confine-root contimeout copy-as copy-dest copy-devices copy-dirlinks",
  "copy-links copy-unsafe-links crtimes cvs-exclude daemon debug del delay-updates delete delete-after",
  "delete-before delete-delay delete-during delete-excluded delete-missing-args detach devices dirs dparam",
  "dry-run early-input exclude exclude-from executability existing fake-super files-from filter force from0",
  "fsync fuzzy group groupmap hard-links help human-readable i-d i-r iconv ignore-errors ignore-existing",
  "ignore-missing-args ignore-non-existing ignore-times implied-dirs inc-recursive include include-from info",
  "inplace insecure-links ipv4 ipv6 itemize-changes keep-dirlinks link-dest links list-only log-file",
  "log-file-format log-format max-alloc max-delete max-size min-size mkpath modify-window motd msgs2stderr",
  "munge-links new-compress numeric-ids old-args old-compress old-d old-dirs omit-dir-times omit-link-times",
  "one-file-system only-write-batch open-noatime out-format outbuf owner partial partial-dir password-file",
  "perms port preallocate progress protect-args protocol prune-empty-dirs qsort quiet read-batch recursive",
  "relative remote-option remove-sent-files remove-source-files rsh rsync-path safe-links secluded-args sender",
  "server size-only skip-compress sockopts sparse specials stats stderr stop-after stop-at suffix super",
  "temp-dir time-limit timeout times trust-sender update usermap verbose version whole-file write-batch",
  "write-devices xattrs zc zl zt",
].flatMap((line) => line.split(" "));

/** What can be turned off by `--no-`, by a letter too. */
const canBeOff = [
  "8 8-bit-output D acls append atimes backup blocking-io bwlimit c checksum compress contimeout crtimes d",
  "delay-updates detach devices dirs force from0 fuzzy g group h hard-links human-readable i i-d i-r iconv",
  "ignore-errors implied-dirs inc-recursive inplace insecure-links itemize-changes l links m mkpath motd",
  "msgs2stderr munge-links numeric-ids o old-args omit-dir-times omit-link-times one-file-system open-noatime",
  "owner p partial perms progress protect-args prune-empty-dirs recursive relative s secluded-args sparse",
  "specials super t timeout times v verbose whole-file write-devices x xattrs y z",
].flatMap((line) => line.split(" "));

/**
 * The long options of rsync 3.5.0: each was tried with the program itself, those too that its help does not name. It
 * takes no abbreviations. Other versions, and patched ones, may know more.
 */
export const rsyncLongOptions: ReadonlySet<string> = new Set([...names, ...canBeOff.map((name) => `no-${name}`)]);
