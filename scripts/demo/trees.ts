import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

/** Content by relative path. */
export type Tree = ReadonlyMap<string, Buffer>;

/** A small home directory; names with blanks, quotes and signs are part of every real one. */
export function homeFiles(totalBytes: number): Tree {
  const each = Math.floor(totalBytes / 8);
  return new Map([
    ["documents/letter to the bank.odt", randomBytes(each)],
    ["documents/taxes/2025 (final).pdf", randomBytes(each * 2)],
    ["documents/taxes/receipts/it's a receipt.txt", Buffer.from("three screws, two nails\n")],
    ["pictures/summer/$HOME of the gulls.jpg", randomBytes(each * 3)],
    ["pictures/-first steps-.jpg", randomBytes(each)],
    ["notes/Zürich & back.md", Buffer.from("# Notes\n")],
    [".config/editor.json", Buffer.from("{}\n")],
    ["mail/inbox", randomBytes(each)],
  ]);
}

export async function writeTree(root: string, tree: Tree): Promise<void> {
  for (const [path, content] of tree) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

/** SHA-256 of every file by its relative path, in one text: equal texts are equal trees. */
export async function fingerprint(root: string): Promise<string> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = await Promise.all(
    files.map(async (file) => {
      const digest = createHash("sha256")
        .update(await readFile(file))
        .digest("hex");
      return `${digest} ${relative(root, file)}`;
    }),
  );
  return lines.toSorted().join("\n");
}
