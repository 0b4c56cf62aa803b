import { morphChildren } from "./morph.ts";

const answerMs = 10_000;

/**
 * Fetches the page's content again and shows what has changed. Resolves to the time that it tells of, or to undefined
 * when the director could not be asked. A director of another version gets its own scripts: the page is loaded anew.
 */
export async function refresh(main: HTMLElement, ownAssets: string): Promise<number | undefined> {
  try {
    const lean = await fetchPart("lean");
    if (lean.assets !== ownAssets) location.reload();
    const complete = morphChildren(main, lean.content);
    if (complete) return lean.at;
    const full = await fetchPart("full");
    morphChildren(main, full.content);
    return full.at;
  } catch {
    return undefined;
  }
}

async function fetchPart(part: "lean" | "full"): Promise<{ content: HTMLElement; at: number; assets: string }> {
  const url = new URL(location.href);
  url.searchParams.set("fragment", part);
  const response = await fetch(url, { signal: AbortSignal.timeout(answerMs), headers: { accept: "text/html" } });
  // A 404 is an answer too: the run has left the history, the job the configuration.
  if (!response.ok && response.status !== 404) throw new Error(`status ${response.status}`);
  const content = new DOMParser().parseFromString(await response.text(), "text/html").body;
  const { headers } = response;
  return { content, at: Number(headers.get("x-status-at")), assets: headers.get("x-assets") ?? "" };
}
