// While the arm moves: cameras, stages, how it goes, and what is wrong.

import { box, button, colour, duration, element, number, renew, say, show } from "./elements.js";
import { cameras, drawOver, isCamera } from "./cameras.js";
import { ask, sections } from "./link.js";
import { attempt } from "./app.js";

const stages = element("ol", { class: "stages" });
const reason = element("p", { class: "muted" });
const facts = element("dl", { class: "facts" });
const curve = element("canvas", { class: "curve", role: "img", "aria-label": "progress over time" });
const events = element("ul", { class: "events", id: "events" });
const ages = element("table", { class: "ages" });
const noStage = element("p", { class: "empty", text: "No stage is under way" });
const skip = button("Next stage", "N", () => move(1), { id: "next-stage" });
const back = button("Back", "B", () => move(-1), { id: "stage-back" });

/** Goes to another stage: so many on, or back. */
export function move(by) {
  const { stage, proposal } = sections;
  if (!stage?.stage) return undefined;
  const wanted = stage.stage + by;
  if (wanted < 1 || wanted > (proposal?.descriptions.length ?? 0)) {
    return attempt(async () => {
      throw new Error(`there is no stage ${wanted}`);
    });
  }
  return attempt(
    () => ask({ ask: "stage", program: stage.program, visit: stage.visit, stage: wanted }),
    `Stage ${wanted} is asked for`,
  );
}

/** Fills the panel. */
export function build(panel) {
  panel.append(
    box("Cameras", { class: "wide" }, cameras(isCamera, drawOver), legend()),
    box("Stages", {}, noStage, stages, reason, element("div", { class: "row" }, back, skip)),
    box("Progress", {}, facts, curve),
    box("Events", {}, events),
    box("Ages and latencies", {}, ages),
  );
}

function legend() {
  const entry = (name, text) => element("li", {}, element("span", { class: `swatch ${name}` }), text);
  return element(
    "ul",
    { class: "legend" },
    entry("chosen", "chosen chunk"),
    entry("candidate", "candidates"),
    entry("keypoint", "keypoint, seen"),
    entry("hidden-keypoint", "keypoint, not seen"),
  );
}

/** Shows what is new. */
export function update(all) {
  const { stage, proposal, progress } = all;
  const at = stage?.stage ?? 0;
  show(noStage, at === 0);
  const isOver = Boolean(stage?.finished || stage?.gave_up);
  renew(stages, [proposal?.descriptions ?? [], at, isOver], ([descriptions]) =>
    descriptions.map((text, index) => {
      const isCurrent = index + 1 === at && !isOver;
      const isDone = index + 1 < at || (isOver && stage.finished);
      const bar = element("span", { class: "bar-fill" });
      const kind = isCurrent ? "current" : isDone ? "done" : null;
      return element("li", { class: kind }, text || "(no description)", element("span", { class: "bar-track" }, bar));
    }),
  );
  const fills = stages.querySelectorAll(".bar-fill");
  fills.forEach((fill, index) => {
    const achieved = index + 1 === progress?.stage ? progress.achieved : 0;
    const share = index + 1 < at || (isOver && stage.finished) ? 1 : achieved;
    fill.style.width = `${Math.round(100 * Math.min(1, Math.max(0, share)))}%`;
  });
  const word = stage?.finished ? "finished: " : stage?.gave_up ? "given up: " : "";
  say(reason, stage ? word + stage.reason : "");
  skip.disabled = at === 0 || isOver;
  back.disabled = at <= 1 || isOver;
  renew(facts, progress ? rounded(progress) : null, (it) =>
    it === null
      ? [element("dt", { text: "Nothing is measured yet" })]
      : Object.entries(it).flatMap(([name, text]) => [
          element("dt", { text: name }),
          element("dd", { text }),
        ]),
  );
  drawCurve(all.curve ?? []);
  showEvents(all.events ?? []);
  showAges(all.ages ?? {});
}

function rounded(progress) {
  return {
    achieved: number(progress.achieved),
    planned: number(progress.planned),
    strength: number(progress.strength),
    reward: number(progress.reward, 3),
    done: number(progress.done),
    particles: number(progress.ess, 1),
  };
}

function showEvents(all) {
  const rows = all.map(({ age_s, ...rest }) => ({ ...rest, minutes: Math.floor(age_s / 60) }));
  renew(events, rows, () =>
    all.length === 0
      ? [element("li", { class: "empty", text: "Nothing has happened" })]
      : all.map((event) =>
          element(
            "li",
            { "data-level": event.level },
            element("strong", { text: `${event.level} ` }),
            element("span", { class: "muted", text: `${event.from} ${event.kind} ` }),
            element("span", { text: event.text }),
            event.times > 1 ? element("span", { class: "muted", text: ` ×${event.times}` }) : null,
          ),
        ),
  );
}

function showAges(all) {
  const names = Object.keys(all);
  renew(ages, names, () => [
    element(
      "tr",
      {},
      ...["input", "age", "rate", "behind the arm"].map((text) => element("th", { text, scope: "col" })),
    ),
    ...names.map((name) =>
      element("tr", {}, element("th", { text: name, scope: "row" }), element("td"), element("td"), element("td")),
    ),
  ]);
  [...ages.rows].slice(1).forEach((row, index) => {
    const { age_ms, rate_hz, lag_ms } = all[names[index]];
    say(row.cells[1], duration(age_ms));
    say(row.cells[2], rate_hz ? `${rate_hz.toFixed(1)} Hz` : "–");
    say(row.cells[3], duration(lag_ms));
    row.classList.toggle("old", age_ms > 2000);
  });
}

function drawCurve(points) {
  if (curve.clientWidth === 0) return;
  // As large as the text around it.
  const size = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const ratio = (devicePixelRatio || 1) * size;
  const [width, height] = [curve.clientWidth / size, 160];
  curve.width = width * ratio;
  curve.height = height * ratio;
  const context = curve.getContext("2d");
  context.scale(ratio, ratio);
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colour("--muted");
  if (points.length < 2) {
    context.fillText("no progress yet", 8, 20);
    return;
  }
  const [first, last] = [points[0][0], points[points.length - 1][0]];
  const x = (t) => 30 + ((width - 38) * (t - first)) / Math.max(last - first, 1e-6);
  const y = (value) => 8 + (height - 28) * (1 - Math.min(1.2, Math.max(-0.2, value) + 0.2) / 1.4);
  context.strokeStyle = colour("--line");
  context.lineWidth = 1;
  for (const value of [0, 0.5, 1]) {
    context.beginPath();
    context.moveTo(30, y(value));
    context.lineTo(width - 8, y(value));
    context.stroke();
    context.fillText(value.toFixed(1), 4, y(value) + 4);
  }
  context.fillText(`${(last - first).toFixed(0)} s`, width - 34, height - 4);
  const line = (column, name, dash) => {
    context.strokeStyle = colour(name);
    context.setLineDash(dash);
    context.lineWidth = 2;
    context.beginPath();
    points.forEach((point, index) => {
      const isNew = index === 0 || points[index - 1][2] !== point[2];
      context[isNew ? "moveTo" : "lineTo"](x(point[0]), y(point[column]));
    });
    context.stroke();
    context.setLineDash([]);
  };
  line(4, "--candidate", [2, 3]);
  line(3, "--chosen", []);
  line(5, "--keypoint", [7, 4]);
  const names = [["achieved", "--chosen"], ["planned", "--candidate"], ["strength", "--keypoint"]];
  names.forEach(([text, name], index) => {
    context.fillStyle = colour(name);
    context.fillRect(34 + 84 * index, height - 13, 10, 10);
    context.fillStyle = colour("--muted");
    context.fillText(text, 48 + 84 * index, height - 4);
  });
}
