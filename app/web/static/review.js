"use strict";
/* The review desk by keys. Pages work without this: it shows the next comment before the server has answered, sends
   decisions in their order, tries again while the database is busy, and says aloud what happened. */
(() => {
  const byId = (id) => document.getElementById(id);
  const counting = byId("counting");
  if (counting) setTimeout(() => location.reload(), 1000);
  const desk = byId("desk");
  if (!desk) return;

  const AHEAD = 6;          // comments that are read before they are needed
  const KEPT = 60;          // comments that are kept at hand
  const NEAR_END = 15;      // rows left when more are asked for
  const STORE = "watchfloor-pending";
  const list = byId("rows"), place = byId("place"), told = byId("told"), notes = byId("notes");
  const bulk = byId("bulk"), keys = byId("keys"), pendingNote = byId("pending");
  const query = desk.dataset.query, token = desk.dataset.token;
  const with_ = (path, more) => `${path}?${query}${query && more ? "&" : ""}${more}`;
  const cards = new Map();
  let after = desk.dataset.after, asking = false, loadingMore = false;
  let last = desk.dataset.last ? { verdict: desk.dataset.last, on: desk.dataset.lastOn } : null;
  let current = list.querySelector("[aria-current]");

  // ---- what is shown

  const rows = () => Array.from(list.children);
  const open = (row) => !row.dataset.said;
  const rowOf = (id) => list.querySelector(`[data-id="${Number(id)}"]`);
  const nameOf = (row) => row.querySelector(".who").textContent;
  const next = (row) => { let to = row && row.nextElementSibling; while (to && !open(to)) to = to.nextElementSibling; return to; };
  const before = (row) => { let to = row && row.previousElementSibling; while (to && !open(to)) to = to.previousElementSibling; return to; };
  const say = (text) => { told.textContent = ""; requestAnimationFrame(() => { told.textContent = text; }); };
  const heard = (row) => `#${row.dataset.id}, ${nameOf(row)}`;

  const fragment = (html) => { const made = document.createElement("template"); made.innerHTML = html; return made.content; };

  function show(row, aloud) {
    if (current) current.removeAttribute("aria-current");
    current = row;
    const form = byId("decide");
    if (!row) {
      place.replaceChildren(fragment('<p class="empty" id="card" tabindex="-1">No more here.</p>'));
      form.hidden = byId("like").hidden = true;
      say(`${aloud || ""} No more comments here.`);
      if (after && !loadingMore) more();
      return;
    }
    form.hidden = byId("like").hidden = false;
    row.setAttribute("aria-current", "true");
    row.scrollIntoView({ block: "nearest" });
    const card = cards.get(row.dataset.id);
    if (card) place.replaceChildren(fragment(card.html));
    else place.replaceChildren(fragment('<p class="empty" id="card" tabindex="-1">Loading…</p>'));
    form.comment.value = row.dataset.id;
    form.seen.value = card && card.seen ? card.seen : row.dataset.seen;
    byId("like").of.value = row.dataset.id;
    history.replaceState(null, "", with_("/review", `at=${row.dataset.id}`));
    const focused = document.activeElement;
    if (!focused || focused === document.body || place.contains(focused) || list.contains(focused) || !focused.isConnected) {
      const at = byId("card"); if (at) at.focus({ preventScroll: true });
    }
    if (scrollY > place.offsetTop && innerWidth > 900) scrollTo(0, 0);
    if (aloud !== undefined) say(`${aloud} Next: ${heard(row)}`.trim());
    readAhead();
    if (!card) ask([row.dataset.id]);
  }

  async function ask(ids) {
    if (!ids.length) return;
    try {
      const answer = await fetch(with_("/review/cards", `ids=${ids.join(",")}`), { headers: { accept: "application/json" } });
      if (!answer.ok) return;
      const found = (await answer.json()).cards;
      for (const [id, card] of Object.entries(found)) {
        cards.set(id, card);
        if (current && current.dataset.id === id && !place.querySelector(`[data-id="${id}"]`)) {
          place.replaceChildren(fragment(card.html));
          byId("decide").seen.value = card.seen || "";
          const at = byId("card"); if (at && document.activeElement === document.body) at.focus({ preventScroll: true });
        }
      }
      for (const id of cards.keys()) { if (cards.size <= KEPT) break; if (!current || id !== current.dataset.id) cards.delete(id); }
    } catch { /* the next look asks again */ }
  }

  async function readAhead() {
    let row = current, wanted = [];
    for (let i = 0; i < AHEAD && row; i++) { row = next(row); if (row && !cards.has(row.dataset.id)) wanted.push(row.dataset.id); }
    const back = before(current); if (back && !cards.has(back.dataset.id)) wanted.push(back.dataset.id);
    if (!asking && wanted.length) { asking = true; await ask(wanted); asking = false; if (wanted.length > 3) readAhead(); }
    if (after && !loadingMore && rows().filter(open).length < NEAR_END + 1) more();
    else if (after && !loadingMore) { let left = 0; for (let r = current; r && left <= NEAR_END; r = next(r)) left++; if (left <= NEAR_END) more(); }
  }

  async function more() {
    loadingMore = true;
    try {
      const answer = await fetch(with_("/review/rows", `after=${encodeURIComponent(after)}`), { headers: { accept: "application/json" } });
      if (answer.ok) {
        const found = await answer.json();
        const known = new Set(rows().map((row) => row.dataset.id));
        for (const row of Array.from(fragment(found.html).children)) if (!known.has(row.dataset.id)) list.append(row);
        after = found.after;
        const link = byId("more");
        if (link) { if (after) link.href = with_("/review", `after=${encodeURIComponent(after)}`); else link.parentElement.remove(); }
        if (!current) { const first = rows().find(open); if (first) show(first, ""); }
      }
    } catch { /* asked again at the next step */ } finally { loadingMore = false; }
  }

  function note(text, id) {
    const line = document.createElement("p");
    line.className = "notice";
    line.append(text + " ");
    if (id) { const to = document.createElement("a"); to.href = with_("/review", `at=${id}`); to.textContent = `Open #${id}`; line.append(to, " "); }
    const gone = document.createElement("button");
    gone.type = "button"; gone.className = "plain"; gone.textContent = "Dismiss";
    gone.addEventListener("click", () => { line.remove(); const at = byId("card"); if (at) at.focus({ preventScroll: true }); });
    line.append(gone);
    notes.append(line);
    while (notes.children.length > 5) notes.firstChild.remove();
    say(text);
  }

  function marked(id, said) {
    const row = rowOf(id);
    if (!row) return;
    if (said) row.dataset.said = said; else delete row.dataset.said;
    row.querySelector(".done").textContent = said || "";
    const box = row.querySelector("input"); box.checked = false; box.disabled = Boolean(said);
    cards.delete(String(id));
    counted();
  }

  function undoes() {
    const button = byId("undo").querySelector("button");
    button.disabled = !last && !outbox.length;
    byId("undoes").textContent = last ? last.on : "";
    byId("undo").verdict.value = last ? last.verdict : "";
  }

  // ---- what is sent: one after the other, again while the database is busy, and after a reload

  let outbox = [], sending = false;
  try { outbox = JSON.parse(sessionStorage.getItem(STORE) || "[]").filter((item) => item.token === token); } catch { outbox = []; }
  const keep = () => {
    try { sessionStorage.setItem(STORE, JSON.stringify(outbox)); } catch { /* held in memory alone */ }
    pendingNote.textContent = outbox.length > 3 || outbox.some((item) => item.tried) ? `${outbox.length} waiting to be written` : "";
  };
  const send = (item) => { outbox.push({ ...item, token, tried: 0 }); keep(); undoes(); flush(); };

  async function flush() {
    if (sending) return;
    sending = true;
    while (outbox.length) {
      const item = outbox[0];
      let answer = null, found = {};
      if (item.undo && !item.fields.verdict) {
        if (!last) { outbox.shift(); keep(); say("There is nothing to take back."); continue; }
        item.fields.verdict = last.verdict; keep();
      }
      try {
        answer = await fetch(item.path, { method: "POST", keepalive: true, headers: { accept: "application/json" }, body: new URLSearchParams({ ...item.fields, token, back: query }) });
        if ((answer.headers.get("content-type") || "").includes("json")) found = await answer.json();
      } catch { answer = null; }
      if (!answer || answer.status === 503 || answer.status === 429) {
        item.tried += 1; keep();
        if (item.tried === 1) say("The database is busy. The decision is kept and tried again.");
        await new Promise((done) => setTimeout(done, Math.min(5000, 300 * 2 ** Math.min(item.tried, 5))));
        continue;
      }
      outbox.shift(); keep();
      if (answer.ok) accepted(item, found); else failed(item, found, answer.status);
      undoes();
    }
    sending = false;
  }

  function accepted(item, found) {
    if ("last" in found) last = found.last;
    if ("total" in found) byId("total").textContent = found.total.toLocaleString("en");
    if (item.undo) return tookBack(found);
    if (found.comments) {
      for (const id of found.comments) marked(id, found.said);
      if (found.missed.length) note(found.told); 
      if (!current || !open(current)) show(next(current) || rows().find(open) || null, found.told); else say(found.told);
    }
  }

  function tookBack(found) {
    for (const one of found.undone) marked(one.comment_id, one.now === "spam" || one.now === "ok" ? one.now : "");
    const back = found.undone.map((one) => rowOf(one.comment_id)).find(Boolean);
    if (back) show(back); else if (found.undone.length) return location.assign(with_("/review", `at=${found.undone[0].comment_id}`));
    say(found.told);
  }

  function failed(item, found, status) {
    const id = item.fields.comment;
    if (item.undo) return note(found.told || `Not taken back (${status}).`);
    if (status === 409 && id) { const stands = found.stands || {}; marked(id, stands.person ? stands.state : ""); return note(found.told, id); }
    if (id) marked(id, "");
    note(status === 401 ? "Not written: the server was started anew. Open the address that it printed." : status === 403 ? "Not written: the page is from an earlier start of the server. Load it again." : status === 404 ? "Not written: it is not there any more." : `Not written (${status}). It waits again.`, id);
  }

  function decide(said) {
    if (!current || !open(current)) return;
    const row = current, form = byId("decide");
    if (!form.seen.value) return say("One moment: the comment is still being read.");
    const fields = { comment: row.dataset.id, seen: form.seen.value, said };
    const to = next(row) || before(row);
    marked(row.dataset.id, said);
    show(to, `${said === "spam" ? "Spam" : "OK"}: #${row.dataset.id}.`);
    send({ path: "/review/decide", fields });
  }

  const undo = () => { if (last || outbox.length) send({ path: "/review/undo", undo: true, fields: {} }); else say("There is nothing to take back."); };

  // ---- many at once

  const picks = () => Array.from(list.querySelectorAll("input:checked"));
  function counted() {
    const n = picks().length;
    byId("count").textContent = n ? `${n} selected:` : "Selected:";
  }

  async function preview(said) {
    const chosen = picks().map((box) => `pick=${box.value}`).join("&");
    if (!chosen && !current) return;
    const path = with_("/review/group", `said=${said}&${chosen || `of=${current.dataset.id}`}`);
    let found = null;
    try { const answer = await fetch(path, { headers: { accept: "application/json" } }); if (answer.ok) found = await answer.json(); } catch { found = null; }
    if (!found) return note("The group could not be read. Try again.");
    bulk.replaceChildren(fragment(found.html));
    bulk.querySelector(".leave").addEventListener("click", (event) => { event.preventDefault(); bulk.close(); });
    bulk.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      bulk.close();
      send({ path: "/review/group", fields: { plan: found.plan, said: event.submitter ? event.submitter.value : said } });
    });
    bulk.showModal();
    bulk.querySelector("button.first").focus();
  }
  bulk.addEventListener("keydown", (event) => {
    const said = event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey ? { S: "spam", A: "ok" }[event.key] : null;
    if (said) { event.preventDefault(); const button = bulk.querySelector(`button[value="${said}"]`); if (button && !button.disabled) button.click(); }
  });

  // ---- keys and mouse

  const acts = {
    j: () => { const to = current ? next(current) : rows().find(open); if (to) show(to, ""); else say("This is the last one."); },
    k: () => { const to = before(current); if (to) show(to, ""); else say("This is the first one."); },
    s: () => decide("spam"),
    a: () => decide("ok"),
    z: undo,
    x: () => { if (!current) return; const box = current.querySelector("input"); if (box.disabled) return; box.checked = !box.checked; counted(); say(`${box.checked ? "Selected" : "Not selected"}: #${current.dataset.id}. ${picks().length} selected.`); },
    S: () => preview("spam"),
    A: () => preview("ok"),
    "/": () => { const words = byId("words"); words.focus(); words.select(); },
    "?": () => keys.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) { if (event.key === "Escape") event.target.blur(); return; }
    if (document.querySelector("dialog[open]")) return;
    const act = Object.hasOwn(acts, event.key) ? acts[event.key] : null;
    if (!act || (event.repeat && !"jk".includes(event.key))) return;
    event.preventDefault();
    act();
  });
  for (const id of ["decide", "undo"]) byId(id).addEventListener("click", (event) => { if (event.detail > 1) event.preventDefault(); });  // of a double click one
  byId("decide").addEventListener("submit", (event) => { event.preventDefault(); decide(event.submitter ? event.submitter.value : "spam"); });
  byId("undo").addEventListener("submit", (event) => { event.preventDefault(); undo(); });
  byId("like").addEventListener("submit", (event) => { event.preventDefault(); preview("spam"); });
  byId("picked").addEventListener("submit", (event) => { event.preventDefault(); if (picks().length) preview(event.submitter ? event.submitter.value : "spam"); });
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a"), row = event.target.closest("li");
    if (!link || !row || event.ctrlKey || event.metaKey || event.shiftKey || event.button || !open(row)) return;
    event.preventDefault();
    show(row, "");
  });
  list.addEventListener("change", counted);
  const help = byId("help"); help.hidden = false; help.addEventListener("click", () => keys.showModal());
  addEventListener("beforeunload", (event) => { if (outbox.some((item) => item.tried)) event.preventDefault(); });

  const card = byId("card");
  if (card && current && card.dataset.id === current.dataset.id) cards.set(card.dataset.id, { html: place.innerHTML, seen: card.dataset.seen });
  for (const item of outbox) if (item.fields.comment) marked(item.fields.comment, item.fields.said);
  counted(); keep(); undoes(); flush();
  if (current && !open(current)) show(next(current), "");
  readAhead();
})();
