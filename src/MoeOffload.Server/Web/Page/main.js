import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { Details } from "./details.js";
import { announce, byId, element } from "./dom.js";
import { addDrawer, closeOver, openDrawer } from "./drawers.js";
import { drawIcons } from "./icons.js";
import { Models } from "./models.js";
import * as preferences from "./preferences.js";
import * as settings from "./settings.js";
import * as shortcuts from "./shortcuts.js";
import { Sidebar } from "./sidebar.js";
import * as toast from "./toast.js";

const examples = ["Tell me a short story about a fox.", "Why is the sky blue?", "Write a haiku about the sea."];

// What the small model that comes with the project has learned.
const demoModel = /^tiny-moe\b/;
const demoExamples = ["Tell me a story about a brave fox.", "What do bees make?", "What is one plus seven?"];

drawIcons();
addDrawer("sidebar", "sidebar-toggle", "moeoffload.sidebar");
addDrawer("panel", "panel-toggle", "moeoffload.panel");
preferences.initialize();
settings.initialize();
settings.onSystem(text => chat.setSystem(text));

const details = new Details();
const models = new Models({
  isBusy: () => chat.isBusy,
  onChoice: showChoice,
  onStatus: (status, progress) => {
    details.show(status, chat.usedTokens);
    composer.attachments.update();
    chat.showWaiting(status.model, progress === null ? "Waiting for the first token…" : `Loading the model, ${Math.round(progress * 100)} %…`);
  },
});
const chat = new Chat({
  model: () => models.name,
  onBegin: async () => {
    await details.begin(() => models.read());
    models.poll();
  },
  onEnd: figures => {
    details.end(figures);
    models.poll();
  },
  onShow: showState,
});
const composer = new Composer({ onSend: (text, files) => chat.send(text, files), onStop: () => chat.stop(), status: () => models.status });
const sidebar = new Sidebar(chat);

byId("new-chat").addEventListener("click", startNew);
document.querySelector(".skip").addEventListener("click", event => { event.preventDefault(); composer.focus(); });
shortcuts.initialize({
  edit: () => chat.editLast(),
  escape: () => { if (!closeOver()) chat.stop(); },
  new: startNew,
  search: () => {
    openDrawer("sidebar");
    byId("search").focus();
  },
  write: () => composer.focus(),
});
addEventListener("hashchange", openAddressed);
await openAddressed();
showState();
await models.fill();

function startNew() {
  chat.startNew();
  closeOver();
  announce("New conversation.");
  composer.focus();
}

// The address names the conversation, so that it is shown again after a reload.
async function openAddressed() {
  const [, id] = location.hash.match(/^#chat=(\w+)$/) ?? [];
  if (!id) return chat.startNew();
  if (await chat.open(id)) {
    closeOver();
    return;
  }
  toast.show("This conversation is no longer in this browser.");
  chat.startNew();
}

function showState() {
  const { conversation } = chat;
  const address = conversation ? `#chat=${conversation.id}` : "";
  if (location.hash !== address) history.pushState(null, "", address || location.pathname + location.search);
  document.title = conversation ? `${conversation.title} – MoeOffload` : "MoeOffload";
  byId("chat-title").textContent = conversation?.title ?? "New conversation";
  byId("welcome").hidden = chat.path.length > 0;
  composer.showRunning(chat.isRunning);
  settings.showSystem(conversation);
  details.showContext(models.status, chat.usedTokens);
  sidebar.mark();
}

function showChoice() {
  byId("welcome-model").textContent = models.name;
  byId("examples").replaceChildren(...(demoModel.test(models.name) ? demoExamples : examples).map(text => {
    const button = element("button", { type: "button", className: "quiet" }, text);
    button.onclick = () => composer.ask(text);
    return element("li", {}, button);
  }));
  details.clear(chat.usedTokens);
}
