"use strict";
const read = (id) => JSON.parse(document.getElementById(id).textContent);

// Sliders choose among points that were solved beforehand; nothing is computed here.
for (const [id, grid] of Object.entries(read("points"))) {
  const box = document.getElementById(id);
  const demand = box.querySelector(".demand");
  const target = box.querySelector(".target");
  const [served, aimed] = box.querySelectorAll("output");
  const values = box.querySelectorAll(".value");
  const show = () => {
    const d = Number(demand.value), t = Number(target.value);
    served.textContent = grid.demands[d];
    aimed.textContent = grid.targets[t];
    demand.setAttribute("aria-valuetext", grid.demands[d]);
    target.setAttribute("aria-valuetext", grid.targets[t]);
    grid.points[t][d].forEach((text, i) => { values[i].textContent = text; });
  };
  demand.addEventListener("input", show);
  target.addEventListener("input", show);
  box.querySelector("button").addEventListener("click", () => {
    [target.value, demand.value] = grid.here;
    show();
  });
  [target.value, demand.value] = grid.here;
  show();
  box.hidden = false;
}

// A chart is a picture until somebody looks closer; then it answers to the pointer.
const charts = read("charts");
// A line by itself answers nowhere; unseen points along it do, each with its own words.
const unseen = ({ encoding, ...unit }) => ({ ...unit,
  mark: { type: "point", filled: true, size: 150, opacity: 0, clip: true },
  encoding: { x: encoding.x, y: encoding.y, tooltip: encoding.tooltip } });
const touched = (node) => {
  if (!node || typeof node !== "object") return node;
  Object.values(node).forEach(touched);
  if (Array.isArray(node.layer)) {
    const told = (unit) => unit.mark && unit.mark.type === "line"
      && unit.encoding && unit.encoding.tooltip;
    node.layer = node.layer.flatMap((unit) => told(unit) ? [unit, unseen(unit)] : [unit]);
  }
  return node;
};
for (const [id, chart] of Object.entries(charts)) {
  const place = document.getElementById(id);
  const wake = () => {
    place.removeEventListener("pointerenter", wake);
    place.removeEventListener("focus", wake);
    const still = place.innerHTML, live = document.createElement("div");
    // It is measured in the font of the page, which must be there for that.
    Promise.all([...document.fonts].map((face) => face.load()))
      .then(() => window.vegaEmbed(live, touched(chart), { actions: false, renderer: "svg",
        ast: true, mode: "vega-lite", tooltip: { disableDefaultStyle: true },
        loader: { http: false } }))
      .then((view) => {
        const drawn = live.querySelector("svg"), wide = drawn.getAttribute("width");
        drawn.setAttribute("viewBox", `0 0 ${wide} ${drawn.getAttribute("height")}`);
        drawn.removeAttribute("width");
        drawn.removeAttribute("height");
        place.replaceChildren(live);
        place.dataset.live = "yes";
        return view;
      })
      .catch((error) => { place.innerHTML = still; console.warn(String(error)); });
  };
  if (window.vegaEmbed) {
    place.addEventListener("pointerenter", wake);
    place.addEventListener("focus", wake);
  }
}

// Paper has no folds: all is printed, and folded again afterwards.
const folds = document.querySelectorAll("details.team");
window.addEventListener("beforeprint", () => folds.forEach((fold) => {
  fold.dataset.shut = fold.open ? "" : "yes";
  fold.open = true;
}));
window.addEventListener("afterprint", () => folds.forEach((fold) => {
  fold.open = !fold.dataset.shut;
}));
