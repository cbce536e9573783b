// Fills the playground once a second and passes on what the customer and the rep write. Words from outside are only
// ever set as text, never as markup.
"use strict";

const $ = (id) => document.getElementById(id);
const FIRST_NUMBER = 12025550142;
let phone = location.hash.slice(1) || null;
let shown = {};
let openCase = null;

function element(tag, kind, text) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

function clock(at) {
  return at ? new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" }) : "";
}

// Rebuilds a part only when its data changed, so that selections, focus and screen readers are left in peace.
function when(part, data, build) {
  const now = JSON.stringify(data ?? null);
  if (shown[part] === now) return;
  shown[part] = now;
  build(data);
}

function fill(list, items) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.replaceChildren(...items);
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function bubble(kind, words, meta, ticks) {
  const item = element("li", kind);
  item.append(element("p", "words", words));
  const line = element("p", "meta", meta);
  if (ticks) line.append(" ", ticks);
  item.append(line);
  return item;
}

const TICKS = { accepted: ["🕓", "accepted"], sent: ["✓", "sent"], delivered: ["✓✓", "delivered"],
  read: ["✓✓", "read"], failed: ["!", "not delivered"] };

function ticks(message) {
  if (!message.ticks) return null;
  const [sign, words] = TICKS[message.ticks];
  const made = element("span", "tick-" + message.ticks, sign);
  const said = message.error ? words + ", code " + message.error : words;
  made.title = said;
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", said);
  return made;
}

function showCustomers(customers) {
  const known = customers.some((customer) => customer.phone === phone);
  const all = known || !phone ? customers : [{ phone, name: "new" }, ...customers];
  $("customer").replaceChildren(...all.map((customer) => {
    const option = element("option", "", "+" + customer.phone + (customer.name ? " (" + customer.name + ")" : ""));
    option.value = customer.phone;
    option.selected = customer.phone === phone;
    return option;
  }));
}

function showChat(chat) {
  const messages = chat ? chat.messages : [];
  fill($("chat"), messages.map((m) => bubble(m.from, m.text, clock(m.at), ticks(m))));
}

function fact(name, value) {
  return value ? [element("dt", "", name), element("dd", "", value)] : [];
}

function showSessions(sessions) {
  const newest = sessions[0];
  $("story").textContent = newest ? newest.story : "Nobody has written yet.";
  const handoff = newest && newest.handoff;
  $("facts").replaceChildren(...fact("Language", newest && newest.language),
    ...fact("Handed off", handoff && handoff.reason), ...fact("Summary", handoff && handoff.summary),
    ...fact("Mood", handoff && handoff.sentiment));
  const items = sessions.slice().reverse().flatMap((session, at) => {
    const begin = at === 0 ? [] : [bubble("note", "A new session begins.", clock(session.opened_at))];
    return begin.concat(session.entries.map((entry) =>
      bubble(entry.by, entry.text, [entry.who, clock(entry.at), entry.fate].filter(Boolean).join(" · "))));
  });
  fill($("entries"), items);
}

function showCase(found) {
  openCase = found ? found.id : null;
  $("case").hidden = !found;
  $("case-none").hidden = Boolean(found);
  if (!found) return;
  $("case-number").textContent = found.number;
  $("case-status").textContent = found.status;
  $("case-subject").textContent = [found.subject, found.contact].filter(Boolean).join(" · ");
  $("case-description").textContent = found.description || "Filled in at the hand-off.";
  $("close").disabled = found.closed;
  fill($("activities"), found.activities.map((activity) =>
    bubble(activity.by_rep ? "rep" : "", activity.text || activity.title,
      [activity.title, clock(activity.at)].filter(Boolean).join(" · "))));
}

function problem(words) {
  if ($("problem").textContent !== words) $("problem").textContent = words;
}

async function refresh() {
  try {
    const query = phone ? "?phone=" + encodeURIComponent(phone) : "";
    const answer = await fetch("/playground/state" + query, { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(await answer.text());
    const state = await answer.json();
    if (!phone && state.chat) choose(state.chat.phone);
    if ($("customer")) when("customers", [state.customers, phone], ([customers]) => showCustomers(customers));
    if ($("chat")) when("chat", state.chat, showChat);
    when("sessions", state.sessions, showSessions);
    if ($("case")) when("case", state.case, showCase);
    if (shown.lost) { shown.lost = false; problem(""); }
  } catch {
    shown.lost = true;
    problem("The line does not answer. Start it again: nothing that was sent is lost.");
  }
}

function choose(number) {
  phone = number;
  history.replaceState(null, "", "#" + number);
}

async function act(path, body) {
  problem("");
  try {
    const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify(body) });
    if (answer.ok) { await refresh(); return true; }
    const said = await answer.json().catch(() => ({}));
    problem(said.error || "That did not work (" + answer.status + ").");
  } catch {
    problem("The line does not answer: this was not sent.");
  }
  return false;
}

// Enter sends, Shift+Enter breaks the line. An input method's own Enter is left alone.
function onSend(form, box, send) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = box.value;
    if (!text.trim()) return;
    box.value = "";
    if (!(await send(text)) && !box.value) box.value = text;
    box.focus();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}

if ($("write")) {
  onSend($("write"), $("words"), (text) => {
    if (!phone) choose(String(FIRST_NUMBER));
    return act("/playground/customer", { phone, text });
  });
  $("customer").addEventListener("change", () => { choose($("customer").value); refresh(); });
  $("another").addEventListener("click", () => {
    const taken = [...$("customer").options].map((option) => Number(option.value));
    let number = FIRST_NUMBER;
    while (taken.includes(number)) number += 1;
    choose(String(number));
    refresh();
    $("words").focus();
  });
}
if ($("reply")) {
  onSend($("reply"), $("reply-words"), (text) => act("/playground/reply", { case: openCase, text }));
  $("close").addEventListener("click", () => act("/playground/close", { case: openCase }));
}

(async function poll() {
  await refresh();
  setTimeout(poll, 1000);
})();
