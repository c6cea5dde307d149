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

// Each mark of a chart carries its words; a line those of its corners, or one for all.
const tip = document.getElementById("tip"), REACH = 16;
const here = document.createElementNS("http://www.w3.org/2000/svg", "circle");
here.setAttribute("class", "here");
here.setAttribute("r", "5");
const corners = (line) => [...line.getAttribute("d").matchAll(/[MLC]([^MLCZ]+)/g)]
  .map((step) => step[1].split(/[ ,]/).slice(-2).map(Number));
const places = (mark) => {
  if (mark.closest(".mark-line")) return corners(mark);
  return mark.closest(".mark-symbol") ? [[0, 0]] : [];
};
// Lines go on where they are cut off at the frame of their plot.
const framed = (mark, x, y) => {
  const group = mark.parentElement.closest(".mark-group");
  const box = group && group.querySelector("path.background").getBoundingClientRect();
  if (box && box.width < 1) return framed(group, x, y);
  return box && x > box.left - REACH && x < box.right + REACH && y > box.top - REACH && y < box.bottom + REACH;
};
// How far a point is from a line, and which of its corners is next.
const nearest = (mark, x, y) => {
  if (!framed(mark, x, y)) return { far: Infinity };
  const to = mark.getScreenCTM();
  const at = places(mark).map(([a, b]) => [to.a * a + to.c * b + to.e, to.b * a + to.d * b + to.f]);
  let far = Infinity, next = 0;
  at.forEach(([x1, y1], i) => {
    const [x0, y0] = at[Math.max(i - 1, 0)], dx = x1 - x0, dy = y1 - y0;
    const part = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)));
    const off = Math.hypot(x0 + part * dx - x, y0 + part * dy - y);
    if (off < far) [far, next] = [off, part < 0.5 ? Math.max(i - 1, 0) : i];
  });
  return { far, next, mark };
};
const told = (picture, { target, clientX, clientY }) => {
  const direct = target.closest("[data-tip]");
  if (direct && !direct.closest(".mark-line")) return { words: direct.dataset.tip };
  const best = [...picture.querySelectorAll("[data-tip]")]
    .map((mark) => nearest(mark, clientX, clientY))
    .reduce((one, other) => (other.far < one.far ? other : one), { far: REACH });
  if (!best.mark) return { words: "" };
  const texts = best.mark.dataset.tip.split("\n\n");
  if (texts.length === 1) return { words: texts[0] };
  return { words: texts[best.next], line: best.mark, corner: places(best.mark)[best.next] };
};
const hide = () => { tip.hidden = true; here.remove(); };
const show = (event) => {
  const { words, line, corner } = told(event.currentTarget, event);
  hide();
  if (!words) return;
  if (corner) {
    here.setAttribute("transform", line.getAttribute("transform") || "");
    [here.cx.baseVal.value, here.cy.baseVal.value] = corner;
    line.after(here);
  }
  tip.textContent = words;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect(), down = event.clientY + 18;
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 4))}px`;
  tip.style.top = `${down + height < innerHeight ? down : event.clientY - height - 14}px`;
};
for (const picture of document.querySelectorAll(".picture")) {
  picture.addEventListener("pointermove", show);
  picture.addEventListener("pointerdown", show);
  picture.addEventListener("pointerleave", hide);
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
