// Do programs that we did not write find our actors well-formed and our inboxes open to the right requests?
//
// Starts `hedgeschool demo`, which has people, a course and its bot with a history, and asks both checkers about each.
// Everything they complain of fails, but what stands in EXPECTED with its reason. See README.md; run by ./run.
import { ActorUrlTestRun } from "activitypub-testing/test-actor";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HERE = import.meta.dirname;
const PATIENCE_MS = 120_000;

/** What activitypub-testing cannot find passed, and why. Anything else than this outcome fails, in both directions. */
const CLIENTS = "asks for the client to server half of ActivityPub, which we do not offer";
const EXPECTED = {
  "inbox-must-be-an-orderedcollection": ["inapplicable", "who reads an inbox must be its owner (AP 5.2); nobody else gets it"],
  "liked-collection-must-be-a-collection": ["inapplicable", "AP 5.5 makes it a MAY; we list no likes"],
  "likes-collection-must-be-a-collection": ["inapplicable", "a property of objects, not of actors"],
  "shares-collection-must-be-a-collection": ["inapplicable", "a property of objects, not of actors"],
  "outbox-post-servers-must-return-a-201-created-http-code": ["inapplicable", CLIENTS],
  "outbox-post-must-accept-non-activity-object": ["inapplicable", CLIENTS],
  "outbox-post-server-adds-to-outbox-collection-checked-by-outbox-get": ["inapplicable", CLIENTS],
  "outbox-wraps-object-with-create-checked-using-get-location": ["inapplicable", CLIENTS],
  "post-outbox-server-overwrites-id-property": ["inapplicable", CLIENTS],
  "create-then-update-modifies-object-checked-by-get": ["inapplicable", CLIENTS],
};

/** The six actors of verify_actor: whether they may read our actor, and whether our inbox may take what they post. */
const MAY = {
  alice: { get_actor: true, post_inbox: false, why: "does not sign" },
  bob: { get_actor: true, post_inbox: true, why: "signs" },
  claire: { get_actor: true, post_inbox: true, why: "signs; her actor is read by signed GET only" },
  dean: { get_actor: true, post_inbox: false, why: "does not sign, and has no WebFinger" },
  emily: { get_actor: true, post_inbox: true, why: "signs, and has no WebFinger" },
  frank: { get_actor: true, post_inbox: true, why: "signs, has no WebFinger, is read by signed GET only" },
};

const freePort = () => new Promise((told, failed) => {
  const probe = createServer().once("error", failed);
  probe.listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => told(port)); });
});

/** A process that is ready when it says `words` or when `ready` answers; killed at the end. */
const running = [];
async function start(name, command, words, options, ready) {
  const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"], ...options });
  running.push(child);
  const it = { child, said: "" };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => { it.said += part; });
  child.once("error", (error) => { it.said += error.message; });
  const late = Date.now() + PATIENCE_MS;
  while (!(await ready(it))) {
    if (Date.now() > late || child.exitCode !== null) throw new Error(`${name} does not start:\n${it.said}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  return it;
}

async function askVerifyActor(address, actor) {
  const answer = await fetch(address, {
    method: "POST", headers: { accept: "application/json" }, body: new URLSearchParams({ actor_uri: actor }),
  });
  const { result, messages } = await answer.json();
  const wrong = Object.entries(MAY).flatMap(([name, may]) => ["get_actor", "post_inbox"]
    .filter((act) => result[name]?.[act] !== may[act])
    .map((act) => `${name} (${may.why}): ${act} is ${result[name]?.[act]}`));
  if (result.webfinger !== true) wrong.push("WebFinger does not lead back to the actor");
  if (wrong.length) wrong.push(messages);
  return wrong;
}

/** The library behind `activitypub-testing test actor`: the command itself dresses its report by a document of the web. */
async function askActivityPubTesting(actor) {
  const counts = {}, wrong = [], seen = new Set();
  const quiet = { ...console, debug() {} };
  for await (const { test, result } of new ActorUrlTestRun(new URL(actor), { console: quiet, eachTestTimeLimit: "T30S" })) {
    seen.add(test.slug);
    counts[result.outcome] = (counts[result.outcome] ?? 0) + 1;
    const [expected] = EXPECTED[test.slug] ?? ["passed"];
    if (result.outcome !== expected) wrong.push(`${test.slug}: ${result.outcome}, not ${expected}: ${result.info ?? ""} ${JSON.stringify(result.pointer ?? {}).slice(0, 600)}`);
  }
  if (!counts.passed) wrong.push("nothing was checked");
  return { counts, wrong, seen };
}

async function main(folder) {
  const demo = await start("the demonstration", process.env.HEDGESCHOOL_BIN, ["demo", "--north-port", "0", "--south-port", "0"],
    { cwd: folder, env: { PATH: process.env.PATH, TMPDIR: folder } }, (it) => it.said.includes("Ctrl-C"));
  const north = demo.said.match(/North {2}(http:\S+)/)[1].replace(/\/$/, "");
  const course = new URL(demo.said.match(/The course on North\s+(\S+)/)[1]).pathname.match(/^\/c\/\w+/)[0];
  const port = await freePort();
  const verifyActor = `http://localhost:${port}/`;
  await start("verify_actor", join(HERE, ".venv/bin/python"),
    ["-m", "fediverse_pasture.verify_actor", "--port", String(port), "--domain", `localhost:${port}`], { cwd: folder },
    () => fetch(verifyActor).then((answer) => answer.ok, () => false));

  const actors = { person: "/u/ada", course, bot: `/u/${course.slice(3)}_bot`, instance: "/actor" };
  const asked = new Set();
  let failed = false;
  for (const [name, path] of Object.entries(actors)) {
    const seen = await askVerifyActor(verifyActor, north + path);
    const { counts, wrong, seen: tests } = await askActivityPubTesting(north + path);
    for (const slug of tests) asked.add(slug);
    const told = Object.entries(counts).map(([outcome, count]) => `${count} ${outcome}`).join(", ");
    console.log(`${name} ${path}: verify_actor ${seen.length ? "FAILED" : "ok"}; activitypub-testing ${told}`);
    for (const line of [...seen, ...wrong]) { failed = true; console.log(`  ${line}`); }
  }
  for (const [slug, [outcome, reason]] of Object.entries(EXPECTED)) console.log(`${outcome} on purpose: ${slug}: ${reason}`);
  for (const slug of Object.keys(EXPECTED)) if (!asked.has(slug)) { failed = true; console.log(`${slug} is expected, but no such test was run`); }
  if (failed) throw new Error("a checker complains");
}

const folder = await mkdtemp(join(tmpdir(), "hedgeschool-checkers-"));
let status = 0;
try {
  await main(folder);
} catch (error) {
  status = 1;
  console.error(error.message);
} finally {
  for (const child of running) child.kill("SIGTERM");
  await Promise.all(running.map((child) => child.exitCode !== null || new Promise((done) => { child.once("exit", done); setTimeout(() => child.kill("SIGKILL"), 10_000).unref(); })));
  await rm(folder, { recursive: true, force: true });
}
process.exit(status);
