/** Questions before something is done. The browser's own dialog keeps the focus inside and gives it back. */

const pauses = [
  ["3600", "1 hour"],
  ["14400", "4 hours"],
  ["43200", "12 hours"],
  ["86400", "1 day"],
  ["604800", "1 week"],
  ["", "until somebody resumes it"],
] as const;

/** Whether the reader agrees. */
export async function askConfirm(question: string): Promise<boolean> {
  const dialog = openDialog(question, "Yes, do it", "No, go back", []);
  return (await dialog.closed) === "yes";
}

/** How long a job is to pause, and why; `seconds` null: until somebody resumes it. undefined: not at all. */
export async function askPause(job: string): Promise<{ seconds: number | null; reason: string | null } | undefined> {
  const time = document.createElement("select");
  time.append(...pauses.map(([value, label]) => new Option(label, value)));
  const reason = document.createElement("input");
  reason.type = "text";
  reason.maxLength = 200;
  const fields = [labelled("For", time), labelled("Reason (may be empty)", reason)];
  const dialog = openDialog(`Pause ${job}?`, "Pause", "Go back", fields);
  if ((await dialog.closed) !== "yes") return undefined;
  return {
    seconds: time.value === "" ? null : Number(time.value),
    reason: reason.value.trim() === "" ? null : reason.value.trim(),
  };
}

function openDialog(
  question: string,
  yes: string,
  no: string,
  fields: readonly HTMLElement[],
): { closed: Promise<string> } {
  const dialog = document.createElement("dialog");
  const form = document.createElement("form");
  form.method = "dialog";
  const title = document.createElement("h2");
  title.id = "question";
  title.textContent = question;
  dialog.setAttribute("aria-labelledby", title.id);
  const buttons = document.createElement("p");
  buttons.className = "commands";
  buttons.append(choice(yes, "yes", "command strong"), choice(no, "no", "command"));
  form.append(title, ...fields, buttons);
  dialog.append(form);
  document.body.append(dialog);
  const closed = new Promise<string>((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
  dialog.showModal();
  return { closed };
}

function choice(label: string, value: string, className: string): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "submit";
  button.value = value;
  button.className = className;
  button.textContent = label;
  return button;
}

function labelled(text: string, field: HTMLElement): HTMLElement {
  const label = document.createElement("label");
  label.append(text, field);
  return label;
}
