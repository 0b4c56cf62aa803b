import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { putCopy } from "./tree.mjs";

/** Units, account, directories and the rotation of logs. */
export function layOutService({ root, tree }) {
  const debian = join(root, "packaging/debian");
  for (const unit of ["rsyncdirector@.service", "rsyncdirector-push@.service"])
    putCopy(tree, `usr/lib/systemd/system/${unit}`, join(root, "systemd", unit));
  putCopy(tree, "usr/lib/sysusers.d/rsyncdirector.conf", join(debian, "sysusers.conf"));
  putCopy(tree, "usr/lib/tmpfiles.d/rsyncdirector.conf", join(debian, "tmpfiles.conf"));
  putCopy(tree, "usr/share/polkit-1/rules.d/rsyncdirector.rules", join(debian, "polkit.rules"));
  putCopy(tree, "etc/logrotate.d/rsyncdirector", join(debian, "logrotate"));
  putCopy(tree, "usr/share/lintian/overrides/rsyncdirector", join(debian, "lintian-overrides"));
  // Empty: each file in it is an instance, and a sample would be one too.
  mkdirSync(join(tree, "etc/rsyncdirector"), { recursive: true });
}
