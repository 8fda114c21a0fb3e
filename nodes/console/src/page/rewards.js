// What each stage wants, drawn over the scene.

import { button, element, number, renew, say, show } from "./elements.js";
import { forget, paint, watchNames } from "./cameras.js";
import { sections } from "./link.js";

/** The stage that is shown, counted from 0. */
let shown = 0;
let of = null;

const empty = element("p", { class: "empty", text: "No reward to show yet" });
const canvas = element("canvas", { role: "img", "aria-label": "the stage's reward over the scene" });
const title = element("p", { id: "reward-title" });
const caption = element("p", { class: "muted" });
const problem = element("p", { class: "problem", id: "reward-problem" });
const tabs = element("div", { class: "row", role: "group", "aria-label": "Stage whose reward is shown" });
const scale = element(
  "p",
  { class: "scale muted" },
  "low ",
  element("span", { class: "scale-bar" }),
  " high; the ring is where it is highest",
);
const figure = element("figure", { id: "reward" }, title, problem, canvas, scale, caption);

/** The part of the panel. */
export function rewards() {
  return [empty, tabs, figure];
}

/** Shows another stage's reward: so many on, or back. */
export function turn(by) {
  const count = sections.rewards?.stages.length ?? 0;
  if (count === 0) return;
  shown = (shown + by + count) % count;
  updateRewards(sections);
}

watchNames((name) => {
  if (name === wanted()) updateRewards(sections);
});

function wanted() {
  return sections.rewards?.stages[shown]?.picture;
}

/** Shows what is new. */
export function updateRewards({ rewards: all, proposal }) {
  show(empty, !all);
  show(tabs, Boolean(all));
  show(figure, Boolean(all));
  if (!all) return;
  if (of !== all.program) {
    of = all.program;
    shown = 0;
    forget((name) => name.startsWith("reward ") && !name.startsWith(`reward ${of} `));
  }
  renew(tabs, [of, all.stages.length, shown], ([, count, at]) =>
    [...Array(count).keys()].map((index) =>
      button(`Stage ${index + 1}`, "", () => turn(index - shown), { "aria-pressed": String(index === at) }),
    ),
  );
  show(problem, Boolean(all.problem));
  say(problem, all.problem ?? "");
  const stage = all.stages[shown];
  const description = proposal?.descriptions[shown] || "(no description)";
  say(title, `Stage ${shown + 1} of ${all.stages.length}: ${description}`);
  const isDrawn = Boolean(stage.picture) && paint(canvas, stage.picture);
  show(canvas, isDrawn);
  show(scale, isDrawn);
  say(caption, words(stage, isDrawn));
}

function words(stage, isDrawn) {
  if (!stage.is_guided) return "This stage leaves the policy alone: it has no reward.";
  if (!stage.best_m) return "The reward is nowhere a finite number.";
  const place = stage.best_m.map((m) => number(m, 3)).join(", ");
  const edge = stage.is_at_edge ? ", at the edge of what was searched" : "";
  const drawn = isDrawn ? "; shown at that height." : stage.picture ? ". Its picture is on its way." : ".";
  return `Highest at (${place}) m${edge}, with reward ${number(stage.reward, 3)}${drawn}`;
}
