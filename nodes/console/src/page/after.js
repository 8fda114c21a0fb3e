// After the arm has moved: what came of it, and how often.

import { box, button, element, renew, say, show } from "./elements.js";
import { ask, sections } from "./link.js";
import { attempt } from "./app.js";
import { instruct } from "./before.js";

const WORDS = { success: "✓ success", fail: "✗ fail", cancel: "– cancelled" };

const episode = element("p", { id: "judged-episode" });
const oracle = element("p", { class: "muted" });
const note = element("textarea", { id: "note", rows: 2, maxlength: 4000, "aria-label": "Note", placeholder: "Note" });
const ready = button("Ready: the same again", "D", again, { id: "ready" });
const verdicts = element(
  "div",
  { class: "row" },
  button("Success", "Y", () => judge("success"), { id: "success" }),
  button("Fail", "X", () => judge("fail"), { id: "fail" }),
  button("Cancel", "C", () => judge("cancel"), { id: "cancel" }),
);
const tallies = element("table", { class: "tallies", id: "tallies" });
const judgements = element("table", { class: "judgements" });
const file = element("p", { class: "muted" });

/** A verdict on the episode under way. */
export async function judge(verdict) {
  if (!sections.episode) return;
  const what = { ask: "judge", episode: sections.episode.id, verdict, note: note.value };
  if (await attempt(() => ask(what), `Written down: ${verdict}`)) note.value = "";
}

/** Begins the same once more: the scene has been set up again. */
export function again() {
  if (sections.episode) instruct(sections.episode.instruction, Number(sections.episode.seed));
}

/** Puts the cursor where a note is typed. */
export function focus() {
  note.focus();
}

/** Fills the panel. */
export function build(panel) {
  panel.append(
    box("What came of it", {}, episode, oracle, note, verdicts, element("div", { class: "row" }, ready)),
    box("By task", {}, tallies, file),
    box("Verdicts", { class: "wide" }, judgements),
  );
}

/** Whether this episode has a verdict. */
export function isJudged({ episode: it, evaluation }) {
  const isOfIt = (judgement) => judgement.is_of_this_run && judgement.episode === it.id;
  return Boolean(it && evaluation?.judgements.some(isOfIt));
}

/** Shows what is new. */
export function update({ episode: it, evaluation, recording }) {
  const least = it?.is_age_least ? "at least " : "";
  say(episode, it ? `“${it.instruction}”, for ${least}${it.age_s} s` : "No episode yet");
  const word = { true: "The world says: achieved", false: "The world says: not achieved" }[it?.oracle];
  const collateral = it?.collateral?.length ? `; beside the task: ${it.collateral.join(", ")}` : "";
  say(oracle, it ? (word ?? "The world cannot judge this") + collateral : "");
  verdicts.querySelectorAll("button").forEach((one) => (one.disabled = !it || !evaluation || Boolean(recording)));
  ready.disabled = !it || Boolean(recording);
  renew(tallies, evaluation?.tallies ?? [], (all) =>
    all.length === 0
      ? [element("caption", { class: "empty", text: "No verdict yet" })]
      : [
          element("tr", {}, ...["task", "success", "95 %", ""].map((text) => element("th", { text, scope: "col" }))),
          ...all.map(tally),
        ],
  );
  renew(judgements, evaluation?.judgements ?? [], (all) =>
    all.map((one) =>
      element(
        "tr",
        { "data-verdict": one.verdict },
        element("td", { text: WORDS[one.verdict] ?? one.verdict }),
        element("td", { text: one.instruction }),
        element("td", { text: `${one.duration_s} s` }),
        element("td", { text: one.note }),
      ),
    ),
  );
  show(file, Boolean(evaluation));
  say(file, evaluation ? `kept in ${evaluation.file.split("/").pop()}` : "");
  file.title = evaluation?.file ?? "";
}

function tally({ task, successes, trials, cancelled, interval }) {
  const percent = (share) => `${Math.round(100 * share)}`;
  const fill = element("span", { class: "interval" });
  fill.style.left = `${100 * interval[0]}%`;
  fill.style.width = `${100 * (interval[1] - interval[0])}%`;
  const rest = cancelled ? ` (${cancelled} cancelled)` : "";
  return element(
    "tr",
    {},
    element("th", { text: task, scope: "row" }),
    element("td", { text: `${successes} of ${trials}${rest}` }),
    element("td", { text: `${percent(interval[0])} to ${percent(interval[1])} %` }),
    element("td", {}, element("span", { class: "interval-track" }, fill)),
  );
}
