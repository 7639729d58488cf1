// What does a microblog of one account, built on Fedify alone, do with what it receives and is asked to send?
//
// Serves mia@fedify.test on a loopback port (behind TLS) and a control door (JSON over HTTP) on another one. Prints one
// JSON line when both listen: {"port":N,"control":"http://127.0.0.1:N"}. Ends when its standard input ends.
//
// Environment: FEDIFY_FIRST_KNOCK = rfc9421 (Fedify's own default) or draft-cavage-http-signatures-12: how the first
// request to an unknown host is signed; the other way follows after a refusal. NODE_EXTRA_CA_CERTS for our authority.
import { createServer } from "node:http";
import { Temporal } from "@js-temporal/polyfill";
import { configure, getConsoleSink } from "@logtape/logtape";
import {
  createExponentialBackoffPolicy, createFederation, generateCryptoKeyPair, InProcessMessageQueue, MemoryKvStore,
} from "@fedify/fedify";
import {
  Accept, Activity, Create, Delete, Endpoints, Follow, isActor, Like, Mention, Note, Person, PUBLIC_COLLECTION,
  Tombstone, Undo, Update,
} from "@fedify/vocab";

const HOST = "fedify.test";
const ORIGIN = `https://${HOST}`;
const ME = "mia";
const PUBLIC = new Set([PUBLIC_COLLECTION.href, "as:Public", "Public"]);

await configure({
  sinks: { console: getConsoleSink() },
  loggers: [
    { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["console"] },
    { category: "fedify", lowestLevel: process.env.FEDIFY_LOG ?? "warning", sinks: ["console"] },
  ],
});
console.log = console.info = console.debug = console.warn = (...words) => console.error(...words);

const following = new Map(); // actor uri -> {handle, id, state: requested | accepted | rejected}
const followers = new Map(); // actor uri -> recipient
const posts = new Map(); // uri -> {post, seen}: what mia can see now, her own notes among it
const notes = new Map(); // own note uri -> Note
const received = []; // every activity that reached a listener, in order
const wire = []; // every POST as it came, with what we answered
const likes = new Map(); // own note uri -> [actor uri]
const problems = []; // what could not be delivered or understood

const list = (value) => value == null ? [] : Array.isArray(value) ? value : [value];
const idOf = (value) => typeof value === "string" ? value : value?.id ?? value?.href ?? null;
const plain = (html) => String(html ?? "")
  .replace(/<br\s*\/?>/gi, "\n").replace(/<\/p>\s*<p[^>]*>/gi, "\n\n").replace(/<[^>]+>/g, "")
  .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&#0?39;/g, "'").replace(/&amp;/g, "&").trim();
const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

const federation = createFederation({
  kv: new MemoryKvStore(),
  queue: new InProcessMessageQueue({ pollInterval: { milliseconds: 100 } }),
  origin: ORIGIN,
  allowPrivateAddress: true, // the test names lie on loopback, which Fedify refuses by itself
  firstKnock: process.env.FEDIFY_FIRST_KNOCK || "rfc9421",
  circuitBreaker: false,
  outboxRetryPolicy: createExponentialBackoffPolicy({ initialDelay: { seconds: 1 }, maxDelay: { seconds: 5 }, maxAttempts: 20 }),
  inboxRetryPolicy: createExponentialBackoffPolicy({ initialDelay: { seconds: 1 }, maxDelay: { seconds: 5 }, maxAttempts: 5 }),
  onOutboxError: (error, activity) => problems.push({ at: now(), doing: "deliver", activity: activity?.id?.href, error: String(error) }),
});
const now = () => new Date().toISOString();

const keys = Promise.all([generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), generateCryptoKeyPair("Ed25519")]);
federation
  .setActorDispatcher("/users/{identifier}", async (ctx, identifier) => {
    if (identifier !== ME) return null;
    const pairs = await ctx.getActorKeyPairs(identifier);
    return new Person({
      id: ctx.getActorUri(identifier), preferredUsername: ME, name: "Mia", summary: "A learner on a microblog",
      url: new URL(`/@${ME}`, ORIGIN), inbox: ctx.getInboxUri(identifier), outbox: ctx.getOutboxUri(identifier),
      followers: ctx.getFollowersUri(identifier), endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      publicKey: pairs[0].cryptographicKey, assertionMethods: pairs.map((pair) => pair.multikey),
      manuallyApprovesFollowers: false, discoverable: false,
    });
  })
  .setKeyPairsDispatcher((_ctx, identifier) => identifier === ME ? keys : [])
  .mapHandle((_ctx, name) => name === ME ? ME : null);
federation.setObjectDispatcher(Note, "/users/{identifier}/notes/{note}", (ctx, values) => {
  const note = notes.get(ctx.getObjectUri(Note, values).href);
  return note && isPublic(note) ? note : null;
});
federation.setOutboxDispatcher("/users/{identifier}/outbox", () => ({ items: [] }));
federation.setFollowersDispatcher("/users/{identifier}/followers", () => ({ items: [...followers.values()] }));
federation.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
  software: { name: "fedify-microblog", version: "2.3.6" }, protocols: ["activitypub"],
  usage: { users: { total: 1 }, localPosts: notes.size, localComments: 0 },
}));
federation.setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .setSharedKeyDispatcher(() => ({ identifier: ME }))
  .on(Activity, receive)
  .onError((_ctx, error) => { problems.push({ at: now(), doing: "receive", error: String(error?.stack ?? error) }); });

function isPublic(note) {
  return [...note.toIds, ...note.ccIds].some((uri) => PUBLIC.has(uri.href));
}

/** Everything that came is recorded first; what a microblog makes of it comes after. */
async function receive(ctx, activity) {
  const entry = { number: received.length, at: now(), type: activity.constructor.name, activity: await activity.toJsonLd() };
  received.push(entry);
  try {
    entry.effect = await apply(ctx, activity, entry);
  } catch (error) {
    entry.problem = String(error?.stack ?? error);
    problems.push({ at: now(), doing: `apply ${activity.id?.href}`, error: entry.problem });
  }
}

async function apply(ctx, activity, entry) {
  const loaders = { documentLoader: await ctx.getDocumentLoader({ identifier: ME }), contextLoader: ctx.contextLoader, suppressError: false };
  const actor = activity.actorId?.href;
  switch (entry.type) {
    case "Follow": {
      if (activity.objectId?.href !== ctx.getActorUri(ME).href) return "follow of somebody else";
      const follower = await activity.getActor(loaders);
      followers.set(actor, follower);
      await ctx.sendActivity({ identifier: ME }, follower, new Accept({
        id: new URL(`/accepts/${crypto.randomUUID()}`, ORIGIN), actor: ctx.getActorUri(ME), to: activity.actorId, object: activity,
      }));
      return "accepted";
    }
    case "Accept": case "Reject": {
      const known = following.get(actor);
      if (!known) return "not asked for";
      known.state = entry.type === "Accept" ? "accepted" : "rejected";
      return known.state;
    }
    case "Create": case "Update": {
      const object = await activity.getObject(loaders);
      entry.object = await object?.toJsonLd();
      if (!entry.object) return "no object";
      if (idOf(list(entry.object.attributedTo)[0]) !== actor) return "written by somebody else: dropped";
      return await keep(ctx, loaders, entry.object, null);
    }
    case "Announce": {
      let object = await activity.getObject(loaders);
      if (object instanceof Activity) object = await object.getObject(loaders);
      entry.object = await object?.toJsonLd();
      if (!following.has(actor)) return "announced by somebody not followed: dropped";
      return entry.object ? await keep(ctx, loaders, entry.object, actor) : "no object";
    }
    case "Delete": {
      const uri = activity.objectId?.href;
      const known = posts.get(uri);
      if (known && known.author !== actor) return "not the author: dropped";
      return posts.delete(uri) ? "gone" : "not known";
    }
    case "Like": {
      const uri = activity.objectId?.href;
      likes.set(uri, [...likes.get(uri) ?? [], actor]);
      return "liked";
    }
    case "Undo": return await undo(activity, loaders, actor);
    default: return "not understood";
  }
}

async function undo(activity, loaders, actor) {
  const json = await activity.toJsonLd();
  const object = await activity.getObject({ ...loaders, suppressError: true });
  const target = object?.objectId?.href ?? idOf(json.object?.object);
  if (object instanceof Follow || json.object?.type === "Follow") return followers.delete(actor) ? "follower gone" : "no follower";
  if (json.object?.type === "Announce" || object?.constructor.name === "Announce") {
    const known = posts.get(target);
    if (known) known.boostedBy = known.boostedBy.filter((uri) => uri !== actor);
    return known ? "boost gone" : "boost not known";
  }
  return "undo not understood";
}

/** Stores an object as the post that mia sees, in the shape that the tests read from every peer. */
async function keep(ctx, loaders, json, boostedBy) {
  const uri = json.id, author = idOf(list(json.attributedTo)[0]);
  const audience = [...list(json.to), ...list(json.cc)].map(idOf);
  const open = audience.some((name) => PUBLIC.has(name));
  const mentions = list(json.tag).filter((tag) => tag.type === "Mention").map((tag) => ({ uri: tag.href, handle: (tag.name ?? "").replace(/^@/, "") }));
  const mine = ctx.getActorUri(ME).href;
  const known = posts.get(uri);
  if (!known && !boostedBy && !audience.includes(mine) && !following.has(author)) return "not for mia: dropped";
  const boosts = new Set(known?.boostedBy ?? []);
  if (boostedBy) boosts.add(boostedBy);
  posts.set(uri, {
    id: uri, type: json.type, author, authorHandle: known?.authorHandle ?? await handleOf(ctx, loaders, author),
    boostedBy: [...boosts], title: json.name ?? null, summary: json.summary ?? null, content: json.content ?? "",
    text: plain(json.content), visibility: open ? "public" : "direct", inReplyTo: idOf(json.inReplyTo),
    mentions, published: json.published ?? null, edited: json.updated ?? null,
  });
  return known ? "updated" : "new";
}

async function handleOf(ctx, loaders, uri) {
  const actor = await ctx.lookupObject(uri, loaders).catch(() => null);
  return actor?.preferredUsername ? `${actor.preferredUsername}@${new URL(uri).host}` : null;
}

// ---- what mia does, asked for at the control door ----

const met = new Map(); // handle or uri -> actor, so that Mia can write to a server that is away just now

async function find(ctx, handleOrUri, { fresh = false } = {}) {
  if (!fresh && met.has(handleOrUri)) return met.get(handleOrUri);
  const loaders = { documentLoader: await ctx.getDocumentLoader({ identifier: ME }), contextLoader: ctx.contextLoader };
  const name = /^https:/.test(handleOrUri) ? handleOrUri : `acct:${handleOrUri.replace(/^@/, "")}`;
  const object = await ctx.lookupObject(name, loaders);
  if (!object) throw new Refusal(404, `${handleOrUri} is not found`);
  if (isActor(object)) for (const key of [handleOrUri, object.id.href]) met.set(key, object);
  return object;
}

class Refusal extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

/** The actors that a note goes to: the author answered and those that their post mentions, as a composer fills them in. */
async function addressees(ctx, { inReplyTo, mentions = [] }) {
  const parent = inReplyTo ? posts.get(inReplyTo) : null;
  if (inReplyTo && !parent) throw new Refusal(404, `${inReplyTo} has not been received`);
  const wanted = [...new Set([...(parent ? [parent.author, ...parent.mentions.map((mention) => mention.uri)] : []), ...mentions])];
  const actors = [];
  for (const name of wanted) {
    if (name === ctx.getActorUri(ME).href) continue;
    const actor = await find(ctx, name);
    if (!isActor(actor)) throw new Refusal(422, `${name} is not an actor`);
    actors.push(actor);
  }
  return actors;
}

function compose(ctx, id, { inReplyTo, content, visibility = "public" }, actors, published) {
  const tags = actors.map((actor) => new Mention({ href: actor.id, name: `@${actor.preferredUsername}@${actor.id.host}` }));
  const names = actors.map((actor) =>
    `<span class="h-card" translate="no"><a href="${actor.id.href}" class="u-url mention">@<span>${escape(String(actor.preferredUsername))}</span></a></span> `);
  const paragraphs = escape(content).split(/\n{2,}/).map((part) => part.replace(/\n/g, "<br />"));
  paragraphs[0] = names.join("") + paragraphs[0];
  const people = actors.map((actor) => actor.id);
  const open = visibility === "public";
  return new Note({
    id, attribution: ctx.getActorUri(ME), content: paragraphs.map((part) => `<p>${part}</p>`).join(""), published,
    url: id, replyTarget: inReplyTo ? new URL(inReplyTo) : null, tags,
    tos: open ? [PUBLIC_COLLECTION] : people, ccs: open ? [ctx.getFollowersUri(ME), ...people] : [],
  });
}

/** To each person named, and of public notes to the followers. */
async function spread(ctx, make, actors, open) {
  const recipients = new Map([...(open ? followers : []), ...actors.map((actor) => [actor.id.href, actor])]);
  const activity = make();
  await ctx.sendActivity({ identifier: ME }, [...recipients.values()], activity, { preferSharedInbox: false });
  return activity;
}

async function publish(ctx, request) {
  const actors = await addressees(ctx, request);
  const id = ctx.getObjectUri(Note, { identifier: ME, note: crypto.randomUUID() });
  const published = Temporal.Now.instant();
  const note = compose(ctx, id, request, actors, published);
  notes.set(id.href, note);
  sent.set(id.href, { request, actors, published });
  await keepOwn(ctx, note);
  await spread(ctx, () => new Create({
    id: new URL(`${id.href}/activity`), actor: ctx.getActorUri(ME), object: note, published, tos: note.toIds, ccs: note.ccIds,
  }), actors, isPublic(note));
  return posts.get(id.href);
}
const sent = new Map(); // own note uri -> what it was made from

async function keepOwn(ctx, note) {
  const json = await note.toJsonLd({ format: "compact", contextLoader: ctx.contextLoader });
  await keep(ctx, {}, json, ctx.getActorUri(ME).href);
  Object.assign(posts.get(json.id), { boostedBy: [], authorHandle: `${ME}@${HOST}` });
}

function own(id) {
  const made = sent.get(id);
  if (!made) throw new Refusal(404, `${id} is not a note of ${ME}`);
  return made;
}

const verbs = {
  "POST /follow": async (ctx, { handle }) => {
    const actor = await find(ctx, handle, { fresh: true });
    const id = new URL(`/follows/${crypto.randomUUID()}`, ORIGIN);
    following.set(actor.id.href, { handle, id: id.href, state: "requested" });
    await ctx.sendActivity({ identifier: ME }, actor, new Follow({ id, actor: ctx.getActorUri(ME), object: actor.id }));
    return { actor: actor.id.href, id: id.href };
  },
  "POST /unfollow": async (ctx, { handle }) => {
    const actor = await find(ctx, handle);
    const known = following.get(actor.id.href);
    if (!known) throw new Refusal(404, `${handle} is not followed`);
    following.delete(actor.id.href);
    await ctx.sendActivity({ identifier: ME }, actor, new Undo({
      id: new URL(`/undos/${crypto.randomUUID()}`, ORIGIN), actor: ctx.getActorUri(ME),
      object: new Follow({ id: new URL(known.id), actor: ctx.getActorUri(ME), object: actor.id }),
    }));
    return { actor: actor.id.href };
  },
  "POST /find": async (ctx, { handle }) => (await find(ctx, handle, { fresh: true })).toJsonLd({ format: "compact", contextLoader: ctx.contextLoader }),
  "POST /post": (ctx, request) => publish(ctx, request),
  "POST /reply": (ctx, request) => publish(ctx, request),
  "POST /edit": async (ctx, { id, content }) => {
    const made = own(id);
    made.request = { ...made.request, content };
    const updated = Temporal.Now.instant();
    const note = compose(ctx, new URL(id), made.request, made.actors, made.published).clone({ updated });
    notes.set(id, note);
    await keepOwn(ctx, note);
    await spread(ctx, () => new Update({
      id: new URL(`${id}/updates/${crypto.randomUUID()}`), actor: ctx.getActorUri(ME), object: note, tos: note.toIds, ccs: note.ccIds, updated,
    }), made.actors, isPublic(note));
    return posts.get(id);
  },
  "POST /delete": async (ctx, { id }) => {
    const made = own(id), note = notes.get(id);
    notes.delete(id); sent.delete(id); posts.delete(id);
    await spread(ctx, () => new Delete({
      id: new URL(`${id}/delete`), actor: ctx.getActorUri(ME), object: new Tombstone({ id: new URL(id) }), tos: note.toIds, ccs: note.ccIds,
    }), made.actors, isPublic(note));
    return { id };
  },
  "POST /like": async (ctx, { id }) => {
    const post = posts.get(id);
    if (!post) throw new Refusal(404, `${id} has not been received`);
    const author = await find(ctx, post.author);
    await ctx.sendActivity({ identifier: ME }, author, new Like({
      id: new URL(`/likes/${crypto.randomUUID()}`, ORIGIN), actor: ctx.getActorUri(ME), object: new URL(id), to: author.id,
    }));
    return { id };
  },
  "GET /posts": () => [...posts.values()],
  "GET /following": () => Object.fromEntries(following),
  "GET /followers": () => [...followers.keys()],
  "GET /likes": () => Object.fromEntries(likes),
  "GET /received": () => received,
  "GET /wire": () => wire,
  "GET /problems": () => problems,
};

// ---- doors ----

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

const door = createServer(async (request, response) => {
  const bytes = await body(request);
  const url = ORIGIN + request.url;
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) headers.set(name, list(value).join(", "));
  const answer = await federation.fetch(new Request(url, { method: request.method, headers, body: bytes.length ? bytes : undefined }), { contextData: undefined })
    .catch((error) => { problems.push({ at: now(), doing: `answer ${request.url}`, error: String(error?.stack ?? error) }); return new Response("", { status: 500 }); });
  if (request.method === "POST") wire.push({ at: now(), path: request.url, headers: request.headers, body: bytes.toString(), status: answer.status });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(Buffer.from(await answer.arrayBuffer()));
});

const control = createServer(async (request, response) => {
  const say = (status, value) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  const verb = verbs[`${request.method} ${new URL(request.url, ORIGIN).pathname}`];
  if (!verb) return say(404, { error: "no such verb", verbs: Object.keys(verbs) });
  try {
    const bytes = await body(request);
    say(200, await verb(federation.createContext(new URL(ORIGIN), undefined), bytes.length ? JSON.parse(bytes) : {}) ?? null);
  } catch (error) {
    say(error.status ?? 500, { error: error.status ? error.message : String(error?.stack ?? error) });
  }
});

const listen = (server) => new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(server.address().port)));
const [port, controlPort] = [await listen(door), await listen(control)];
process.stdout.write(JSON.stringify({ port, control: `http://127.0.0.1:${controlPort}` }) + "\n");
process.stdin.on("end", () => process.exit(0)).resume();
