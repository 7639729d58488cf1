// What can Mia do and see, said once for every program that she may use?
//
// A post, whatever program it was seen in:
//   id            its ActivityPub id
//   author, authorHandle, boostedBy (list of actor ids; snac names only the last one)
//   visibility    "public" or "direct"
//   summary       content warning or summary, null when there is none;  title: null where the program folds it into content
//   content       HTML;  text: the same as plain text
//   inReplyTo     id or null (snac: only when it has the parent)
//   mentions      [{uri, handle}], published, edited
//
// A match is a function of a post, or an object of which all must hold: id, author, authorHandle, boostedBy, inReplyTo,
// visibility (equal), contains (in text, title or summary), pattern (regular expression, the same), mentions (actor id),
// edited (true: only edited posts), except (list of ids).
import { readdir, readFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { SnacClient, SnacRefusal } from "./snac-client.mjs";

/** How long a wait lasts when nothing else is said: snac looks at its queues every three seconds. */
export const PATIENCE_SECONDS = 45;

export const plain = (html) => String(html ?? "")
  .replace(/<br\s*\/?>/gi, "\n").replace(/<\/p>\s*<p[^>]*>/gi, "\n\n").replace(/<[^>]+>/g, "")
  .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&#0?39;/g, "'").replace(/&amp;/g, "&").trim();

/** Looks until `look` gives something true, or fails saying what was waited for and what was there instead. */
export async function until(what, look, seconds = PATIENCE_SECONDS) {
  const end = Date.now() + seconds * 1000;
  let last = "nothing";
  for (;;) {
    try {
      const found = await look((seen) => { last = seen; });
      if (found) return found;
    } catch (error) {
      last = String(error.message ?? error);
    }
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}; there was ${last}`);
    await new Promise((next) => setTimeout(next, 300));
  }
}

export function matcher(match = {}) {
  if (typeof match === "function") return match;
  const said = (post) => [post.text, post.title, post.summary].filter(Boolean).join("\n");
  const equal = ["id", "author", "authorHandle", "inReplyTo", "visibility"].filter((key) => key in match);
  return (post) => equal.every((key) => post[key] === match[key])
    && (match.boostedBy === undefined || post.boostedBy.includes(match.boostedBy))
    && (match.contains === undefined || said(post).includes(match.contains))
    && (match.pattern === undefined || new RegExp(match.pattern, "i").test(said(post)))
    && (match.mentions === undefined || post.mentions.some((mention) => mention.uri === match.mentions))
    && (match.edited === undefined || Boolean(post.edited) === match.edited)
    && !(match.except ?? []).includes(post.id);
}

const describe = (match) => typeof match === "function" ? match.toString() : JSON.stringify(match ?? {});
const glance = (posts) => posts.length ? posts.map((post) => `${post.visibility} ${post.id} ${JSON.stringify(post.text.slice(0, 60))}`).join("; ") : "no post";
export const uriOf = (post) => typeof post === "string" ? post : post.id;

/** The part that is the same for every program. A program adds: posts, follow, unfollow, following, post, reply, edit, delete, like, likers. */
export class Mia {
  waitForPost(match, seconds) { return this.#await("a public post", "public", match, seconds); }
  waitForDirect(match, seconds) { return this.#await("a direct note", "direct", match, seconds); }
  /** Waits until the course (or person) has answered Follow with Accept. */
  waitForAccept(handle, seconds) {
    return until(`${handle} to accept ${this.handle}`, async (saw) => { const state = await this.following(handle); saw(state); return state === "accepted" && { handle, state }; }, seconds);
  }
  /** Waits until a post that was there is not shown any more. */
  waitUntilGone(post, seconds) {
    const id = uriOf(post);
    return until(`${id} to be gone`, async (saw) => { const posts = await this.posts(); saw("it still"); return !posts.some((one) => one.id === id) && { id }; }, seconds);
  }
  /** Waits until somebody likes a post of hers (a receipt). */
  waitForLike(post, seconds) {
    return until(`a like of ${uriOf(post)}`, async () => { const likers = await this.likers(post); return likers.length && { id: uriOf(post), likers }; }, seconds);
  }
  /** The newest state of a post, null when it is not (or no longer) there. */
  async see(post) { return (await this.posts()).find((one) => one.id === uriOf(post)) ?? null; }

  #await(what, visibility, match, seconds) {
    const fits = matcher(match);
    return until(`${what} for ${this.handle} with ${describe(match)}`, async (saw) => {
      const posts = (await this.posts()).filter((post) => post.visibility === visibility);
      saw(glance(posts));
      return posts.find((post) => post.authorHandle !== this.handle && fits(post));
    }, seconds);
  }
}

/** Mia on the Fedify microblog, through its control door. */
export class FedifyMia extends Mia {
  handle = "mia@fedify.test";
  actor = "https://fedify.test/users/mia";
  constructor(control) { super(); this.control = control; }

  async #ask(method, path, json) {
    const answer = await fetch(this.control + path, { method, body: json && JSON.stringify(json), headers: { connection: "close" }, signal: AbortSignal.timeout(30_000) });
    const value = await answer.json();
    if (!answer.ok) throw new Error(`fedify: ${path}: ${value.error}`);
    return value;
  }

  posts() { return this.#ask("GET", "/posts"); }
  find(handle) { return this.#ask("POST", "/find", { handle }); }
  async follow(handle) { return (await this.#ask("POST", "/follow", { handle })).actor; }
  async unfollow(handle) { return (await this.#ask("POST", "/unfollow", { handle })).actor; }
  /** "none", "requested", "accepted" or "rejected". */
  async following(handle) {
    const known = Object.entries(await this.#ask("GET", "/following"));
    const wanted = handle.replace(/^@/, "");
    return known.find(([uri, one]) => uri === handle || one.handle.replace(/^@/, "") === wanted)?.[1].state ?? "none";
  }
  async followers() { return this.#ask("GET", "/followers"); }
  post(text, visibility = "public", mentions = []) { return this.#ask("POST", "/post", { content: text, visibility, mentions }); }
  reply(post, text, visibility = "public") { return this.#ask("POST", "/reply", { inReplyTo: uriOf(post), content: text, visibility }); }
  edit(post, text) { return this.#ask("POST", "/edit", { id: uriOf(post), content: text }); }
  delete(post) { return this.#ask("POST", "/delete", { id: uriOf(post) }); }
  like(post) { return this.#ask("POST", "/like", { id: uriOf(post) }); }
  async likers(post) { return (await this.#ask("GET", "/likes"))[uriOf(post)] ?? []; }
  /** Only here: every activity as it came, every POST as it came, and what went wrong. */
  received() { return this.#ask("GET", "/received"); }
  wire() { return this.#ask("GET", "/wire"); }
  problems() { return this.#ask("GET", "/problems"); }
}

/** Mia on snac, through its Mastodon API; a composer's habit of naming those addressed is done here, as apps do it. */
export class SnacMia extends Mia {
  handle = "mia@snac.test";
  actor = "https://snac.test/mia";
  #keys = new Map(); // ActivityPub id -> snac's id
  #prefix = new Map(); // own ActivityPub id -> the handles at the start of its text

  constructor({ url, password, base }) {
    super();
    this.base = base;
    this.client = new SnacClient({ url, password });
  }

  async posts() {
    const [home, notifications] = [await this.client.home(), await this.client.notifications()];
    const statuses = [...home, ...notifications.filter((one) => one.type === "mention" && one.status).map((one) => one.status)];
    const posts = new Map();
    for (const status of statuses) {
      const post = this.#normal(status);
      if (!posts.has(post.id)) posts.set(post.id, post);
    }
    return [...posts.values()];
  }

  #normal(status) {
    const inner = status.reblog ?? status;
    this.#keys.set(inner.uri, inner.id);
    const handle = (account) => account.acct.includes("@") ? account.acct : `${account.acct}@${new URL(account.url).host}`;
    const parent = inner.in_reply_to_id && [...this.#keys].find(([, key]) => key.slice(10) === inner.in_reply_to_id.slice(10))?.[0];
    return {
      id: inner.uri, type: null, author: inner.account.uri ?? inner.account.url, authorHandle: handle(inner.account),
      boostedBy: status.reblog ? [status.account.uri ?? status.account.url] : [],
      title: null, summary: inner.spoiler_text || null, content: inner.content, text: plain(inner.content),
      visibility: inner.visibility === "public" ? "public" : "direct", inReplyTo: parent || null,
      mentions: inner.mentions.map((mention) => ({ uri: mention.url, handle: mention.acct })),
      published: inner.created_at, edited: inner.edited_at,
    };
  }

  find(handle) { return this.client.find(handle); }
  async #actor(handle) {
    const account = await this.client.find(handle);
    if (!account) throw new Error(`snac: ${handle} is not found`);
    return account.uri ?? account.url;
  }
  async follow(handle) { await this.client.follow(handle); return this.#followed(handle); }
  async unfollow(handle) { const actor = await this.#followed(handle); await this.client.unfollow(handle); return actor; }
  /** "none", "requested" or "accepted". The API says "following" from the first moment, so snac's own file is read. */
  async following(handle) {
    const actor = await this.#followed(handle);
    const name = createHash("md5").update(actor).digest("hex");
    const file = await readFile(`${this.base}/user/mia/following/${name}.json`, "utf8").catch(() => null);
    return file === null ? "none" : JSON.parse(file).type === "Accept" ? "accepted" : "requested";
  }
  #followedActors = new Map();
  async #followed(handle) {
    if (/^https:/.test(handle)) return handle;
    if (!this.#followedActors.has(handle)) this.#followedActors.set(handle, await this.#actor(handle));
    return this.#followedActors.get(handle);
  }

  async post(text, visibility = "public", mentions = []) {
    return this.#own(mentions.map((name) => `@${name.replace(/^@/, "")} `).join(""), text, (whole) => this.client.post(whole, visibility));
  }
  async reply(post, text, visibility = "public") {
    const parent = await this.see(post) ?? post;
    const names = [parent.authorHandle, ...(parent.mentions ?? []).map((mention) => mention.handle)].filter((name) => name && name !== this.handle);
    const key = await this.#key(post);
    return this.#own([...new Set(names)].map((name) => `@${name} `).join(""), text, (whole) => this.client.reply(key, whole, visibility));
  }
  async #own(prefix, text, send) {
    const post = this.#normal(await send(prefix + text));
    this.#prefix.set(post.id, prefix);
    return post;
  }
  async edit(post, text) {
    return this.#normal(await this.client.edit(await this.#key(post), (this.#prefix.get(uriOf(post)) ?? "") + text));
  }
  async delete(post) { await this.client.delete(uriOf(post)); return { id: uriOf(post) }; }
  async like(post) { await this.client.like(await this.#key(post)); return { id: uriOf(post) }; }
  async likers(post) {
    const notifications = await this.client.notifications();
    return notifications.filter((one) => one.type === "favourite" && one.status?.uri === uriOf(post)).map((one) => one.account.uri ?? one.account.url);
  }
  /** From snac's files: its API tells only how many there are. */
  async followers() {
    const folder = `${this.base}/user/mia/followers`;
    const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".json"));
    return Promise.all(files.map(async (name) => JSON.parse(await readFile(`${folder}/${name}`, "utf8")).id));
  }

  /** snac's id of a post; a post that left the lists is asked for itself. */
  async #key(post) {
    const uri = uriOf(post);
    if (!this.#keys.has(uri)) await this.posts();
    const key = this.#keys.get(uri);
    if (!key) throw new SnacRefusal(404, `snac: ${uri} has not been received`);
    return key;
  }
}
