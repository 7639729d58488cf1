// How does a test use cattle_grid as Mia would? It is a middleware: what comes in is told as it came, and what goes out is
// written here. So this is the smallest microblog: it keeps what it was told and says what microblogs say.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Mia, plain, uriOf } from "../mia.mjs";

const PUBLIC = "https://www.w3.org/ns/activitystreams#Public";
const list = (value) => value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
const idOf = (value) => typeof value === "string" ? value : value?.id;

export class GridMia extends Mia {
  handle = "mia@grid.test";
  #objects = new Map(); // what others wrote, by id
  #boosts = new Map(); // id -> actors who announced it
  #likes = new Map(); // id of hers -> actors
  #follows = new Map(); // actor -> state and the Follow
  #own = new Map(); // id -> her object
  #handles = new Map(); // actor -> handle

  constructor({ port, actor, token, database, ask }) {
    super();
    Object.assign(this, { actor, api: `http://127.0.0.1:${port}/fe`, token, database, ask });
    this.#listen();
  }

  async #post(path, json) {
    const headers = { authorization: `Bearer ${this.token}`, "content-type": "application/json" };
    const answer = await fetch(this.api + path, { method: "POST", headers, body: JSON.stringify(json), signal: AbortSignal.timeout(30_000) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`cattle_grid: ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  async #listen() {
    for (;;) {
      try {
        const answer = await fetch(`${this.api}/account/stream/combined`, { headers: { authorization: `Bearer ${this.token}` } });
        let buffer = "";
        for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
          buffer += part;
          const events = buffer.split(/\r?\n\r?\n/);
          buffer = events.pop();
          for (const event of events) await this.#hear(event).catch((error) => console.error(`grid: ${error.message}`));
        }
      } catch { /* it ends with the server */ }
      await new Promise((next) => setTimeout(next, 500));
    }
  }

  async #hear(event) {
    const text = event.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("");
    if (!text.startsWith("{")) return;
    const { event_type: kind, data } = JSON.parse(text);
    const activity = data?.raw ?? data;
    if (kind === "incoming") await this.#take(activity);
    if (kind === "outgoing") this.#sent(activity);
  }

  /** What it sent for her, now with the ids that it gave. */
  #sent(activity) {
    if (activity.type === "Create") this.#own.set(activity.object.id, activity.object);
    if (activity.type === "Follow") this.#follows.set(idOf(activity.object), { state: "requested", follow: activity });
  }

  async #take(activity) {
    const object = activity.object, id = idOf(object);
    switch (activity.type) {
      case "Accept": if (this.#follows.has(activity.actor)) this.#follows.get(activity.actor).state = "accepted"; break;
      case "Create": case "Update": if (object?.type && !object.inbox) await this.#keep(object, activity.type === "Update"); break;
      case "Announce": await this.#announced(activity.actor, typeof object === "string" ? await this.#read(object) : object); break;
      case "Like": this.#likes.set(id, [...(this.#likes.get(id) ?? []), activity.actor]); break;
      case "Delete": this.#objects.delete(id); break;
      case "Undo": this.#boosts.delete(idOf(object?.object)); this.#objects.delete(idOf(object?.object)); break;
    }
  }

  async #announced(by, what) {
    if (what?.type === "Delete") return void this.#objects.delete(idOf(what.object));
    const object = what?.object?.type ? what.object : what;
    if (!object?.id || !object.content) return;
    await this.#keep(object, what.type === "Update");
    this.#boosts.set(object.id, [...(this.#boosts.get(object.id) ?? []), by]);
  }

  async #keep(object, edited) {
    this.#objects.set(object.id, { ...object, edited });
    const author = idOf(object.attributedTo);
    if (!this.#handles.has(author)) {
      const document = await this.#read(author).catch(() => null);
      this.#handles.set(author, `${document?.preferredUsername ?? "?"}@${new URL(author).host}`);
    }
  }

  /** A document elsewhere, asked for with Mia's signature. */
  async #read(uri) {
    const found = await this.#post("/actor/lookup", { actorId: this.actor, uri });
    return found.raw ?? found.data ?? found;
  }

  posts() {
    return [...this.#objects.values()].map((object) => {
      const everyone = [...list(object.to), ...list(object.cc)].includes(PUBLIC), author = idOf(object.attributedTo);
      return {
        id: object.id, author, authorHandle: this.#handles.get(author), boostedBy: this.#boosts.get(object.id) ?? [],
        title: object.name ?? null, summary: object.summary ?? null, content: object.content, text: plain(object.content),
        visibility: everyone ? "public" : "direct", inReplyTo: idOf(object.inReplyTo) ?? null,
        mentions: list(object.tag).filter((tag) => tag.type === "Mention").map((tag) => ({ uri: tag.href, handle: tag.name })),
        published: object.published, edited: object.edited ? object.updated : null,
      };
    });
  }

  async find(handle) {
    if (/^https:/.test(handle)) return handle;
    const bare = handle.replace(/^@/, "");
    const { status, text } = await this.ask(`https://${bare.split("@")[1]}/.well-known/webfinger?resource=acct:${bare}`);
    if (status !== 200) throw new Error(`${handle} is not found: ${status}`);
    return JSON.parse(text).links.find((link) => link.rel === "self").href;
  }

  #publish(data) { return this.#post("/actor/trigger/publish_activity", { actor: this.actor, data: { actor: this.actor, ...data } }); }
  async follow(handle) {
    const actor = await this.find(handle);
    await this.#publish({ type: "Follow", object: actor, to: [actor] });
    return actor;
  }
  async unfollow(handle) {
    const actor = await this.find(handle);
    const { follow } = this.#follows.get(actor);
    await this.#publish({ type: "Undo", object: follow, to: [actor] });
    this.#follows.delete(actor);
    return actor;
  }
  async following(handle) { return this.#follows.get(await this.find(handle))?.state ?? "none"; }
  async followers() { return []; }

  post(text, visibility = "public") { return this.#write(text, visibility, [], null); }
  async reply(post, text, visibility = "public") {
    const parent = this.#objects.get(uriOf(post));
    const mentions = list(parent.tag).filter((tag) => tag.type === "Mention" && tag.href !== this.actor);
    const author = idOf(parent.attributedTo);
    if (!mentions.some((tag) => tag.href === author)) mentions.unshift({ type: "Mention", href: author, name: `@${this.#handles.get(author)}` });
    return this.#write(text, visibility, mentions, parent.id);
  }
  async #write(text, visibility, tag, inReplyTo) {
    const everyone = visibility === "public", named = tag.map((mention) => mention.href);
    const content = `<p>${text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/\n/g, "<br>")}</p>`;
    const before = new Set(this.#own.keys());
    const data = {
      type: "Note", attributedTo: this.actor, content, tag, published: new Date().toISOString(),
      to: everyone ? [PUBLIC] : named, cc: everyone ? named : [], ...(inReplyTo ? { inReplyTo } : {}),
    };
    await this.#post("/actor/trigger/publish_object", { actor: this.actor, data });
    for (let tries = 0; tries < 200; tries += 1) {
      const id = [...this.#own.keys()].find((one) => !before.has(one));
      if (id) return this.#shown(this.#own.get(id));
      await new Promise((next) => setTimeout(next, 50));
    }
    throw new Error("cattle_grid did not say that it sent the note");
  }
  #shown(object) { return { id: object.id, text: plain(object.content), content: object.content, title: null, summary: null }; }

  /** Its store of notes only grows, and whoever asks gets what was written first: what changed or went is changed there. */
  async #stored(id, object) {
    const key = id.split("/").at(-1).replaceAll("-", "");
    const at = `WHERE replace(CAST(id AS text), '-', '') IN ('${key}', '\\x${key}')`;
    const data = `$json$${JSON.stringify(object)}$json$`;
    const change = object ? `UPDATE simple_storage_stored_object SET data = ${data}` : "DELETE FROM simple_storage_stored_object";
    const { stdout } = await promisify(execFile)("psql", [this.database, "-c", `${change} ${at}`]);
    if (!/ 1$/.test(stdout.trim())) throw new Error(`cattle_grid: ${id} is not in its store: ${stdout}`);
  }

  async edit(post, text) {
    const object = { ...this.#own.get(uriOf(post)), content: `<p>${text}</p>`, updated: new Date().toISOString() };
    this.#own.set(object.id, object);
    await this.#stored(object.id, object);
    await this.#publish({ type: "Update", object, to: object.to, cc: object.cc });
    return this.#shown(object);
  }
  async delete(post) {
    const object = this.#own.get(uriOf(post));
    await this.#stored(object.id, null);
    await this.#publish({ type: "Delete", object: { type: "Tombstone", id: object.id }, to: object.to, cc: object.cc });
    return { id: object.id };
  }
  async like(post) {
    const parent = this.#objects.get(uriOf(post));
    await this.#publish({ type: "Like", object: parent.id, to: [idOf(parent.attributedTo)] });
    return { id: parent.id };
  }
  async likers(post) { return this.#likes.get(uriOf(post)) ?? []; }
}
