import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, lutimesSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { put, putCopy } from "./tree.mjs";

const scripts = ["postinst", "prerm", "postrm"];

/** Packs the tree, owned by root, with nothing in it that depends on when, where or by whom it was built. */
export function buildArchive({ root, tree, arch, version, epoch }, { file, compression }) {
  const files = listTree(tree);
  // Copies of directories keep the mode that the umask of whoever made the clone has left.
  for (const { path, stat } of files) if (stat.isDirectory()) chmodSync(path, 0o755);
  for (const name of scripts) putCopy(tree, `DEBIAN/${name}`, join(root, "packaging/debian", name), 0o755);
  put(tree, "DEBIAN/control", control({ arch, version, size: installedSize(files) }));
  put(tree, "DEBIAN/md5sums", checksums(tree, files));
  put(
    tree,
    "DEBIAN/conffiles",
    files
      .flatMap(({ path, stat }) =>
        stat.isFile() && relative(tree, path).startsWith("etc/") ? [`/${relative(tree, path)}\n`] : [],
      )
      .join(""),
  );
  for (const { path } of listTree(tree)) lutimesSync(path, epoch, epoch);
  lutimesSync(tree, epoch, epoch);
  const pack = compression === "fast" ? ["-Zgzip", "-z1"] : [`-Z${compression}`];
  execFileSync("dpkg-deb", ["--root-owner-group", ...pack, "--build", tree, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function listTree(directory) {
  return readdirSync(directory)
    .toSorted()
    .flatMap((name) => {
      const path = join(directory, name);
      const stat = lstatSync(path);
      return [{ path, stat }, ...(stat.isDirectory() ? listTree(path) : [])];
    });
}

/** In KiB, each file rounded up, as policy 5.6.20 counts; other things count as one. */
function installedSize(files) {
  return files.reduce((sum, { stat }) => sum + (stat.isFile() ? Math.ceil(stat.size / 1024) : 1), 0);
}

function checksums(tree, files) {
  return files
    .filter(({ path, stat }) => stat.isFile() && !relative(tree, path).startsWith("etc/"))
    .map(({ path }) => `${createHash("md5").update(readFileSync(path)).digest("hex")}  ${relative(tree, path)}\n`)
    .join("");
}

function control({ arch, version, size }) {
  return `Package: rsyncdirector
Version: ${version}
Architecture: ${arch}
Maintainer: The rsyncdirector authors <rsyncdirector@packages.invalid>
Installed-Size: ${size}
Depends: libc6 (>= 2.28), libgcc-s1 (>= 3.4), libstdc++6 (>= 6), openssh-client, rsync, util-linux (>= 2.33)
Recommends: systemd
Suggests: csync2, prometheus
Section: admin
Priority: optional
Description: automates and coordinates rsync jobs on many hosts
 A director runs rsync jobs on schedules, when files change, or on request.
 Directors on several hosts keep out of each other's way through nothing but
 lock files that they reach over SSH. Prometheus can scrape them.
 .
 The package brings the Node.js runtime that it needs, in a directory of its
 own.
`;
}
