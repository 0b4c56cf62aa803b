import { readdir } from "node:fs/promises";

/**
 * The locks in a directory, without what belongs to them: guards and hold files, which stay, and the second
 * name of a lock that is there. A second name without its lock is a left-over and is listed.
 */
export async function locksIn(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => {
    if (/\.(guard|hold)$/.test(name)) return false;
    const lock = /^(.*)\.tmp\.[\w-]+$/.exec(name)?.[1];
    return lock === undefined || !names.includes(lock);
  });
}
