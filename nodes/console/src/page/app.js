// The page as a whole: which state is shown, orders, keys.

import * as before from "./before.js";
import * as during from "./during.js";
import * as after from "./after.js";
import { turn } from "./rewards.js";
import { button, element, say, show } from "./elements.js";
import { ask, connect, open, sections, watch } from "./link.js";

/** After how long without a word an order counts as unacknowledged. */
const ACKNOWLEDGED_WITHIN_MS = 100;

const panels = { before, during, after };
const at = (id) => document.getElementById(id);

// ---- what is said for a moment

let fades = 0;

/** Does something; says what came of it, and gives whether it went well. */
export async function attempt(act, done) {
  let text = done;
  let isWell = true;
  try {
    await act();
  } catch (error) {
    text = error.message;
    isWell = false;
  }
  if (text) {
    say(at("said"), text);
    at("said").dataset.kind = isWell ? "well" : "wrong";
    show(at("said"), true);
    clearTimeout(fades);
    fades = setTimeout(() => show(at("said"), false), isWell ? 2500 : 8000);
  }
  return isWell;
}

// ---- which state is shown

let shown = null;
let followed = null;

/** The state that the run is in. */
function phase({ episode, proposal, stage, evaluation }) {
  if (!episode) return "before";
  if (episode.is_over || after.isJudged({ episode, evaluation }) || stage?.finished || stage?.gave_up) return "after";
  return proposal?.state === "approved" ? "during" : "before";
}

function choose(state) {
  shown = state;
  for (const name of Object.keys(panels)) {
    show(at(name), name === state);
    at(`tab-${name}`).setAttribute("aria-selected", String(name === state));
  }
  panels[state].update(sections);
}

// ---- stop and pause

const RESTING = ["paused", "stopped", "stopping"];

/** The stop or pause that was pressed last: when, its number once it is known, what went wrong. */
let pressed = null;

function pressStop() {
  if (isRecorded()) return;
  press("stop");
}

function press(kind) {
  const mine = { kind, at: performance.now(), id: null, error: null };
  pressed = mine;
  showOrder();
  setTimeout(showOrder, ACKNOWLEDGED_WITHIN_MS + 1);
  ask({ ask: "order", order: kind }).then(
    (answer) => {
      mine.id = answer.order;
      showOrder();
    },
    (error) => {
      mine.error = error.message;
      showOrder();
    },
  );
}

function showOrder() {
  const line = at("order-state");
  show(line, pressed !== null);
  if (pressed === null) return;
  const word = pressed.kind === "stop" ? "Stop" : "Pause";
  const order = sections.orders?.find((one) => one.id === pressed.id);
  const waited = performance.now() - pressed.at;
  line.dataset.order = pressed.kind;
  if (order && order.taken_ms !== null) {
    const rest = order.rest_ms === null ? "coming to rest" : `at rest after ${Math.round(order.rest_ms)} ms`;
    say(line, `${word} acknowledged after ${Math.round(order.taken_ms)} ms, ${rest}. Resume: P`);
    line.dataset.kind = "acknowledged";
  } else if (pressed.error || waited > ACKNOWLEDGED_WITHIN_MS) {
    const why = pressed.error ? ` (${pressed.error})` : "";
    say(line, `${word.toUpperCase()} NOT ACKNOWLEDGED${why}: use the stop at the robot`);
    line.dataset.kind = "unacknowledged";
  } else {
    say(line, `${word} is on its way`);
    line.dataset.kind = "sent";
  }
}

function order(kind, done) {
  if (isRecorded()) return undefined;
  if (kind === "resume") {
    pressed = null;
    showOrder();
  }
  return attempt(() => ask({ ask: "order", order: kind }), done);
}

/** Has the arm rest, or go on where it rests. */
function pause() {
  if (isRecorded()) return;
  if (RESTING.includes(sections.arm?.mode)) order("resume", "Resume is asked for");
  else press("pause");
}

/** Whether a recording is shown, which is said: nothing of it obeys. */
function isRecorded() {
  if (!sections.recording) return false;
  attempt(async () => {
    throw new Error("This is a recording: nothing here moves");
  });
  return true;
}

// ---- keys

function theme() {
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (isDark ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("theme", next);
}

const KEYS = [
  ["Escape", "Esc", "Stop the arm, from anywhere, even while typing", pressStop],
  ["p", "P", "Pause the arm, or have it go on after a pause or a stop", pause],
  ["o", "O", "Arm the arm", () => order("arm", "Arming is asked for")],
  ["1", "1", "Before: instruction and program", () => choose("before")],
  ["2", "2", "During: cameras and progress", () => choose("during")],
  ["3", "3", "After: verdict and statistics", () => choose("after")],
  ["i", "I", "Type an instruction", () => (choose("before"), before.focus())],
  ["a", "A", "Approve the program", () => shown === "before" && isWaiting() && before.decide("approve")],
  ["e", "E", "Edit the program", () => (choose("before"), before.edit())],
  ["g", "G", "Ask the author again", () => shown === "before" && before.decide("again")],
  ["r", "R", "Refuse the program", () => shown === "before" && isWaiting() && before.decide("refuse")],
  ["]", "]", "The next stage's reward", () => shown === "before" && turn(1)],
  ["[", "[", "The reward of the stage before", () => shown === "before" && turn(-1)],
  ["n", "N", "Next stage", () => shown === "during" && during.move(1)],
  ["b", "B", "Back one stage", () => shown === "during" && during.move(-1)],
  ["y", "Y", "Verdict: success", () => shown === "after" && after.judge("success")],
  ["x", "X", "Verdict: fail", () => shown === "after" && after.judge("fail")],
  ["c", "C", "Verdict: cancelled, does not count", () => shown === "after" && after.judge("cancel")],
  ["m", "M", "Type a note", () => (choose("after"), after.focus())],
  ["d", "D", "Ready: the same again", () => shown === "after" && after.again()],
  ["t", "T", "Light or dark", theme],
  ["?", "?", "These keys", toggleKeys],
];

const isWaiting = () => sections.proposal?.state === "proposed";

function toggleKeys() {
  const dialog = at("keys");
  if (dialog.open) dialog.close();
  else dialog.show(); // A modal one would cover the stop.
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    pressStop();
    // The next key is no letter of a text.
    document.activeElement?.blur();
    return;
  }
  const isTyping = ["INPUT", "TEXTAREA", "SELECT"].includes(event.target.tagName);
  if (isTyping || at("token").open || event.repeat) return;
  const known = KEYS.find(([key]) => key === event.key.toLowerCase());
  if (known) {
    event.preventDefault();
    known[3]();
  }
}

// ---- all of it

function update(all, link) {
  const words = {
    connecting: "connecting",
    connected: "connected",
    lost: "no connection",
    silent: "no word",
    locked: "locked",
  };
  say(at("link"), words[link]);
  at("link").dataset.kind = link;
  document.body.classList.toggle("stale", link !== "connected");
  show(at("lost"), link === "lost" || link === "silent");
  say(
    at("lost"),
    link === "silent"
      ? "The dataflow says nothing: what is shown is old. Stop at the robot if it moves."
      : "No connection: what is shown is old, and nothing here reaches the robot. Connecting again…",
  );
  if (link === "locked" && !at("token").open) at("token").showModal();
  const { arm, episode } = all;
  const isOld = arm && arm.age_ms > 1000;
  say(at("mode"), arm ? (isOld ? `${arm.mode}, ${Math.round(arm.age_ms / 1000)} s ago` : arm.mode) : "no arm yet");
  at("mode").dataset.kind = !arm || isOld ? "old" : arm.mode;
  const rests = RESTING.includes(arm?.mode);
  at("pause").firstChild.textContent = rests ? "Resume " : "Pause ";
  at("pause").classList.toggle("primary", rests);
  const isLive = !all.recording;
  show(at("pause"), isLive);
  show(at("stop"), isLive);
  show(at("arm"), isLive && arm?.mode === "idle");
  show(at("recording"), !isLive);
  say(at("recording"), isLive ? "" : `Recording ${all.recording.split("/").pop()}: what the arm does has been done; nothing here moves`);
  at("recording").title = all.recording ?? "";
  document.body.classList.toggle("recorded", !isLive);
  say(at("asked"), episode ? `“${episode.instruction}”` : "No instruction yet");
  showOrder();
  const next = phase(all);
  if (next !== followed) {
    followed = next;
    choose(next);
  } else {
    panels[shown].update(all);
  }
  // What is typed elsewhere is kept; the rest of the hidden panels is made when they are shown.
}

function build() {
  const saved = localStorage.getItem("theme");
  if (saved) document.documentElement.dataset.theme = saved;
  for (const [name, panel] of Object.entries(panels)) panel.build(at(name));
  at("stop").addEventListener("click", pressStop);
  at("pause").addEventListener("click", pause);
  at("arm").addEventListener("click", () => order("arm", "Arming is asked for"));
  at("theme").addEventListener("click", theme);
  at("help").addEventListener("click", toggleKeys);
  for (const name of Object.keys(panels)) at(`tab-${name}`).addEventListener("click", () => choose(name));
  at("keys").append(
    element("h2", { text: "Keys" }),
    element(
      "dl",
      { class: "keys" },
      ...KEYS.flatMap(([, shownAs, text]) => [
        element("dt", {}, element("kbd", { text: shownAs })),
        element("dd", { text }),
      ]),
    ),
    button("Close", "?", toggleKeys),
  );
  const field = element("input", { type: "password", "aria-label": "Token", autocomplete: "off" });
  const wrong = element("p", { role: "alert" });
  at("token").append(
    element("h2", { text: "Token" }),
    element("p", { text: "It is in the file page.token in the run's folder." }),
    element(
      "form",
      {
        onsubmit: async (event) => {
          event.preventDefault();
          if (await open(field.value)) at("token").close();
          else say(wrong, "This is not the token");
        },
      },
      field,
      element("button", { type: "submit", class: "primary", text: "Open" }),
    ),
    wrong,
  );
  // Before dialogs and fields, so that nothing keeps a stop back.
  document.addEventListener("keydown", onKey, true);
  watch(update);
  choose("before");
  connect();
}

build();
