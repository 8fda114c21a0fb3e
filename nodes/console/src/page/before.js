// Before the arm moves: the instruction, the picture, the program, and a word about it.

import { box, button, element, renew, say, show } from "./elements.js";
import { cameras } from "./cameras.js";
import { ask, sections } from "./link.js";
import { attempt } from "./app.js";
import { dryPlan, updateDryPlan } from "./dry.js";
import { rewards, updateRewards } from "./rewards.js";

const WORDS = {
  proposed: "waits for your word",
  approved: "approved",
  refused: "refused",
  unsound: "does not compile",
};

let isEditing = false;
/** What the editor was opened for. */
let edited = null;

const input = element("input", {
  id: "instruction",
  list: "known",
  maxlength: 500,
  autocomplete: "off",
  placeholder: "What is the robot to do?",
  "aria-label": "Instruction",
});
const known = element("datalist", { id: "known" });
const choice = element("select", {
  "aria-label": "Task list",
  onchange: () => {
    if (choice.value) input.value = choice.value;
    choice.selectedIndex = 0;
    input.focus();
  },
});
const seed = element("input", { type: "number", min: 0, step: 1, value: 0, "aria-label": "Seed" });
const form = element(
  "form",
  {
    class: "instruct",
    onsubmit: (event) => {
      event.preventDefault();
      input.blur();
      instruct(input.value, Number(seed.value) || 0);
    },
  },
  input,
  known,
  choice,
  element("label", { class: "seed", text: "seed " }, seed),
  element("button", { type: "submit", class: "primary", text: "Instruct" }),
);

/** Begins an episode. */
export function instruct(instruction, withSeed = 0) {
  return attempt(() => ask({ ask: "say", instruction, seed: withSeed }), `“${instruction}” is passed on`);
}

const state = element("span", { class: "pill", id: "proposal-state" });
const source = element("span", { class: "muted" });
const stages = element("ol", { class: "stages", id: "proposal-stages" });
const stagesHeading = element("h3", { text: "Stages" });
const diagnostics = element("div", { id: "diagnostics" });
const program = element("pre", { id: "program", tabindex: 0, "aria-label": "Program" });
const editor = element("textarea", {
  id: "editor",
  spellcheck: "false",
  rows: 18,
  "aria-label": "Program, edited",
  onkeydown: (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      submit();
    }
  },
});
const empty = element("p", { class: "empty", text: "No program yet" });
const buttons = {
  approve: button("Approve", "A", () => decide("approve"), { id: "approve", class: "primary" }),
  edit: button("Edit", "E", edit, { id: "edit" }),
  again: button("Ask again", "G", () => decide("again"), { id: "again" }),
  refuse: button("Refuse", "R", () => decide("refuse"), { id: "refuse" }),
  check: button("Check and propose", "Ctrl Enter", submit, { id: "check", class: "primary" }),
  discard: button("Discard", "", discard, { id: "discard" }),
};
const row = element("div", { class: "row" }, ...Object.values(buttons));
const whole = element(
  "div",
  {},
  element("p", {}, state, " ", source),
  row,
  diagnostics,
  stagesHeading,
  stages,
  element("h3", { text: "Program" }),
  program,
  editor,
);

/** A word about the program that is shown. */
export function decide(decision, text = "") {
  const proposal = sections.proposal;
  if (!proposal) return undefined;
  return attempt(
    () => ask({ ask: "decide", program: proposal.id, decision, text }),
    { approve: "Approved", refuse: "Refused", again: "The author is asked again", edit: "Checked" }[decision],
  );
}

/** Opens the editor. */
export function edit() {
  if (!sections.proposal || isEditing) return;
  isEditing = true;
  edited = sections.proposal.id;
  editor.value = sections.proposal.text;
  update(sections);
  editor.focus();
}

async function submit() {
  if (!isEditing) return;
  // The program may have been decided about meanwhile; the newest is what can be edited.
  if (sections.proposal && (await decide("edit", editor.value))) isEditing = false;
  update(sections);
}

function discard() {
  isEditing = false;
  update(sections);
}

/** Puts the cursor where an instruction is typed. */
export function focus() {
  input.focus();
  input.select();
}

/** Fills the panel. */
export function build(panel) {
  panel.append(
    box("Instruction", { class: "wide live-only" }, form),
    element(
      "div",
      { class: "column" },
      box("What is seen", {}, cameras((name) => name === "annotated_image")),
      box("What it would do first", {}, ...dryPlan()),
    ),
    element(
      "div",
      { class: "column" },
      box("Program", { id: "proposal" }, empty, whole),
      box("What each stage wants", {}, ...rewards()),
    ),
  );
}

/** Shows what is new. */
export function update(all) {
  const { proposal, instructions, stage } = all;
  updateRewards(all);
  updateDryPlan(all);
  const { tasks = [], history = [] } = instructions ?? {};
  renew(known, history.concat(tasks), (all) =>
    [...new Set(all)].map((value) => element("option", { value })),
  );
  renew(choice, tasks, (all) => [
    element("option", { value: "", text: "Task list…" }),
    ...all.map((text) => element("option", { value: text, text })),
  ]);
  show(choice, tasks.length > 0);
  show(empty, !proposal);
  show(whole, Boolean(proposal));
  if (!proposal) {
    isEditing = false;
    return;
  }
  say(state, WORDS[proposal.state] ?? proposal.state);
  state.dataset.kind = proposal.state;
  const answers = proposal.answers > 1 ? `, ${proposal.answers} answers` : "";
  say(source, `by ${proposal.source || "nobody"}${answers}`);
  const isUnderWay = stage?.program === proposal.id ? stage.stage : 0;
  renew(stages, [proposal.descriptions, isUnderWay], ([descriptions, at]) =>
    descriptions.map((text, index) =>
      element("li", { text: text || "(no description)", class: index + 1 === at ? "current" : null }),
    ),
  );
  show(stagesHeading, proposal.descriptions.length > 0);
  renew(diagnostics, proposal.diagnostics, (all) =>
    all.filter(Boolean).map((text) => element("pre", { class: "diagnostic", text })),
  );
  say(program, proposal.text || "(no text)");
  show(program, !isEditing);
  show(editor, isEditing);
  const waits = proposal.state === "proposed";
  show(buttons.approve, waits && !isEditing);
  show(buttons.refuse, waits && !isEditing);
  show(buttons.edit, !isEditing);
  show(buttons.again, !isEditing);
  show(buttons.check, isEditing);
  show(buttons.discard, isEditing);
  say(buttons.discard, edited === proposal.id ? "Discard" : "Discard, and show the newer program");
}
