// The page stays live by asking once a second, not by a held stream: a phone that slept, changed
// network or passed a proxy asks again and has the whole truth, while a stream that died silently
// shows yesterday's calm. Unchanged answers are 304 and cost some hundred bytes.
"use strict";
(() => {
  const top = document.getElementById("top");
  const words = top.dataset;
  const ASK_MS = 1000, HIDDEN_MS = 5000, PATIENCE_MS = 5000, STALE_MS = 4000;
  const panes = [["board", "/page/board"], ["places", "/page/facilities"]]
    .map(([id, url]) => ({ root: document.getElementById(id), url, tag: document.getElementById(id).dataset.tag }));
  let base = { ms: Number(words.now), speed: Number(words.speed), at: performance.now() };
  let answeredAt = performance.now();
  let agoAt = 0;
  let redrawn = true;
  let asking = false;
  let again = false;
  let timer = 0;

  const now = () => base.ms + (performance.now() - base.at) * base.speed;

  // --- in place, so that an open list, an opened history and the focus survive ------------------
  const keyOf = (node) => node.nodeType === 1 ? node.dataset.key || node.id || "" : "";
  const alike = (old, next) => old.nodeType === next.nodeType && old.nodeName === next.nodeName && keyOf(old) === keyOf(next);

  // What the server last said of each card: most are as they were, and are not walked through.
  const said = new WeakMap();

  const same = (old, next) => {
    if (old.nodeType !== 1) {
      if (old.nodeValue !== next.nodeValue) old.nodeValue = next.nodeValue;
      return;
    }
    if (next.dataset.key) {
      const text = next.outerHTML;
      if (said.get(old) === text) return;
      said.set(old, text);
    }
    if (old.matches("select") && (old.dataset.touched || old === document.activeElement)) return;
    for (const { name } of [...old.attributes]) {
      if (!next.hasAttribute(name) && !(name === "open" && old.matches("details"))) old.removeAttribute(name);
    }
    for (const { name, value } of next.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    children(old, next);
  };

  const children = (root, wanted) => {
    const keyed = new Map();
    for (const node of root.childNodes) if (keyOf(node)) keyed.set(keyOf(node), node);
    let here = root.firstChild;
    for (const next of [...wanted.childNodes]) {
      const known = keyed.get(keyOf(next));
      const old = known && alike(known, next) ? known : here && !keyOf(here) && alike(here, next) ? here : null;
      if (!old) { root.insertBefore(next, here); continue; }
      if (old === here) here = here.nextSibling; else root.insertBefore(old, here);
      same(old, next);
    }
    while (here) { const gone = here; here = here.nextSibling; gone.remove(); }
  };

  const merge = (pane, html) => {
    children(pane.root, new DOMParser().parseFromString(html, "text/html").body);
  };

  const load = async (pane) => {
    const answer = await fetch(pane.url, {
      headers: pane.tag ? { "If-None-Match": pane.tag } : {},
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.status === 401) return void location.reload();
    if (answer.status !== 200 && answer.status !== 304) throw new Error(String(answer.status));
    base = { ms: Number(answer.headers.get("Yujing-Now")), speed: Number(answer.headers.get("Yujing-Speed")), at: performance.now() };
    if (answer.status === 200) {
      const html = await answer.text();
      pane.tag = answer.headers.get("ETag") || "";
      merge(pane, html);
      redrawn = true;
    }
  };

  const ask = async () => {
    if (asking) { again = true; return; }
    asking = true;
    clearTimeout(timer);
    try {
      await Promise.all(panes.map(load));
      answeredAt = performance.now();
    } catch { /* shown by `draw` as soon as it lasts */ }
    asking = false;
    draw();
    timer = setTimeout(ask, again ? 0 : document.hidden ? HIDDEN_MS : ASK_MS);
    again = false;
  };

  // --- the clocks ------------------------------------------------------------------------------
  const two = (n) => String(n).padStart(2, "0");
  const left = (ms) => {
    const s = Math.ceil(ms / 1000), d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24;
    const tail = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
    return d ? `${d}d ${two(h)}:${tail}` : h ? `${h}:${tail}` : tail;
  };
  const ago = (ms) => {
    const s = Math.max(0, Math.round(ms / 1000));
    const [form, n] = s < 60 ? [words.agoS, s] : s < 3600 ? [words.agoM, Math.floor(s / 60)]
      : s < 172800 ? [words.agoH, Math.floor(s / 3600)] : [words.agoD, Math.floor(s / 86400)];
    return form.replace("{n}", n);
  };
  const offsetMs = (() => {
    const shown = document.getElementById("clock").textContent.replace(" ", "T") + "Z";
    return Math.round((Date.parse(shown) - Number(words.now)) / 60000) * 60000;
  })();
  const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

  function draw() {
    const t = now();
    put(document.getElementById("clock"), new Date(t + offsetMs).toISOString().slice(0, 19).replace("T", " "));
    for (const node of document.querySelectorAll("[data-until]")) {
      const rest = Number(node.dataset.until) - t;
      put(node.firstElementChild, rest > 0 ? left(rest) : "00:00");
      put(node.lastElementChild, rest > 0 ? words.untilNext : words.overdue);
    }
    if (t - agoAt >= 1000 || t < agoAt || redrawn) {
      agoAt = t;
      redrawn = false;
      for (const node of document.querySelectorAll("[data-ago]")) put(node, ago(t - Number(node.dataset.at)));
    }
    const silence = performance.now() - answeredAt, lost = silence > STALE_MS + (document.hidden ? HIDDEN_MS : 0);
    const stale = document.getElementById("stale"), link = document.getElementById("link");
    stale.hidden = !lost;
    link.hidden = lost;
    put(link, words.live);
    if (lost) put(stale.querySelector("b"), `${Math.round(silence / 1000)} s`);
    const waiting = document.querySelectorAll("[data-incident]").length;
    const title = (waiting ? `(${waiting}) ` : "") + words.title;
    if (document.title !== title) document.title = title;
  }

  // --- answering: one tap, no dialog; without this script the form does the same -----------------
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[name=person]")) event.target.dataset.touched = "1";
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form.answer")) return;
    event.preventDefault();
    const button = form.querySelector("button"), problem = document.getElementById("problem");
    const body = new URLSearchParams(new FormData(form));
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, {
        method: "POST", body, credentials: "same-origin",
        headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.status === 401) return void location.reload();
      const said = answer.ok ? "" : (await answer.json()).detail;
      problem.hidden = answer.ok;
      put(problem, said);
    } catch {
      problem.hidden = false;
      put(problem, words.away);
    }
    button.disabled = false;
    button.removeAttribute("aria-busy");
    await ask();
  });

  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  addEventListener("online", ask);
  addEventListener("pageshow", ask);
  setInterval(draw, 250);
  ask();
})();
