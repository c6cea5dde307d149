"use strict";
// A slider writes the text of its stop, a box is told where its slider belongs; the
// engine behind the page does the rest.
const stops = JSON.parse(document.getElementById("stops").textContent);
const form = document.getElementById("controls"), told = document.getElementById("told");
const answer = document.getElementById("answer"), now = document.getElementById("now");
const boxes = [...form.querySelectorAll(".control")].map((place) => ({
  place, name: place.dataset.name, text: place.querySelector("input[type=text], select"),
  range: place.querySelector("input[type=range]"), wrong: place.querySelector(".wrong"),
}));
for (const box of boxes) box.first = box.text.defaultValue ?? box.text.querySelector("[selected]").value;
const changed = (box) => box.text.value.trim() !== box.first;
const law = boxes.find((box) => box.name === "law");
// The coefficients are those of the file's own law.
const idle = (box) => law && changed(law) && box.name.startsWith("law.");
const values = () => Object.fromEntries(boxes
  .filter((box) => changed(box) && !idle(box)).map((box) => [box.name, box.text.value]));
const slid = (box, stop) => {
  if (!box.range) return;
  box.range.value = String(stop);
  box.range.setAttribute("aria-valuetext", box.text.value);
};
const post = (path, signal) => fetch(path, { method: "POST", signal,
  body: JSON.stringify({ values: values() }), headers: { "Content-Type": "application/json" } });
const fail = (error) => { told.textContent = `No answer: ${error.message}. Is overtrain still running?`; };

const complain = (reply) => {
  for (const box of boxes) {
    const message = reply.wrong[box.name] || "";
    box.wrong.textContent = message;
    box.text.setAttribute("aria-invalid", message ? "true" : "false");
    box.place.classList.toggle("moved", changed(box));
    box.text.disabled = Boolean(idle(box));
    if (box.range) box.range.disabled = box.text.disabled;
    if (message) box.place.closest("details").open = true;
  }
  const any = Object.keys(reply.wrong).length;
  told.textContent = [...reply.problems, ...(any ? ["A value cannot be used; the plan shown is the last one."] : [])].join(" ");
};

let asked = 0, timer = 0, last = new AbortController();
const solve = async () => {
  const number = ++asked;
  last.abort(); // the engine drops what nobody waits for
  last = new AbortController();
  answer.classList.add("old");
  now.classList.add("old");
  try {
    const response = await post("/solve", last.signal);
    if (response.status === 503) throw new Error(await response.text());
    const reply = await response.json();
    if (number !== asked) return;
    complain(reply);
    if (reply.html) {
      answer.innerHTML = reply.html; // escaped where it was written
      answer.classList.remove("old");
      now.classList.remove("old");
      now.textContent = reply.now;
      for (const box of boxes) {
        if (!changed(box) && box.range) slid(box, (stops[box.name].length - 1) / 2);
        else if (box.name in reply.stops && document.activeElement !== box.range) slid(box, reply.stops[box.name]);
      }
    }
    document.body.dataset.solved = String(number);
  } catch (error) { if (number === asked) fail(error); }
};
const soon = () => { now.classList.add("old"); clearTimeout(timer); timer = setTimeout(solve, 120); };

for (const box of boxes) {
  box.text.addEventListener("input", soon);
  if (!box.range) continue;
  box.range.addEventListener("input", () => {
    box.text.value = stops[box.name][Number(box.range.value)];
    slid(box, box.range.value);
    soon();
  });
}
form.addEventListener("submit", (event) => { event.preventDefault(); solve(); });
document.getElementById("back").addEventListener("click", () => {
  clearTimeout(timer);
  for (const box of boxes) {
    box.text.value = box.first;
    if (box.range) slid(box, (stops[box.name].length - 1) / 2);
  }
  solve();
});
document.getElementById("share").addEventListener("click", async () => {
  try {
    const response = await post("/save");
    if (response.status === 422) { complain(await response.json()); return; }
    if (!response.ok) throw new Error(await response.text());
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = form.dataset.file || "scenario.yaml";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    told.textContent = `Saved as ${link.download}.`;
  } catch (error) { fail(error); }
});
