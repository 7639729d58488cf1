// Do the two peers, over TLS through the proxy, do to each other all that the story asks of Mia?
import assert from "node:assert/strict";
import { startLab, until } from "./lab.mjs";

let passed = 0;
async function step(name, work) {
  const begun = Date.now();
  try {
    const result = await work();
    passed += 1;
    console.log(`ok   ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
    return result;
  } catch (error) {
    console.log(`FAIL ${name}: ${error.message}`);
    throw error;
  }
}

/** Everything once with `mia` as the person of the story and `other` as the far side. */
async function play(mia, other) {
  const tag = `${mia.handle}>${other.handle}`;
  await step(`${tag} follow is accepted`, async () => {
    await mia.follow(other.handle);
    await mia.waitForAccept(other.handle);
    await until("the follower to be known", async () => (await other.followers()).includes(mia.actor));
  });
  const notice = await step(`${tag} a public post of the one followed arrives`, async () => {
    const made = await other.post(`First notice for ${mia.handle}`);
    const seen = await mia.waitForPost({ id: made.id });
    assert.equal(seen.authorHandle, other.handle);
    assert.match(seen.text, /First notice/);
    return seen;
  });
  const task = await step(`${tag} a direct note arrives as direct`, async () => {
    const made = await other.post("Please answer\nwith two lines", "direct", [mia.handle]);
    const seen = await mia.waitForDirect({ id: made.id });
    assert.match(seen.text, /Please answer\nwith two lines$/);
    return seen;
  });
  const answer = await step(`${tag} a direct reply arrives as direct, in reply`, async () => {
    const made = await mia.reply(task, "clarity 2\ndepth 1", "direct");
    const seen = await other.waitForDirect({ id: made.id });
    assert.match(seen.text, /clarity 2\ndepth 1$/);
    assert.equal(seen.inReplyTo, task.id);
    assert.ok(seen.mentions.length > 0 || other.handle.includes("snac"), "no Mention tag");
    return made;
  });
  const work = await step(`${tag} a public reply arrives in reply`, async () => {
    const made = await mia.reply(notice, "My solution: <b>ownership</b> & borrowing");
    const seen = await other.waitForPost({ id: made.id });
    assert.match(seen.text, /My solution/);
    assert.equal(seen.inReplyTo, notice.id);
    return made;
  });
  await step(`${tag} an edit of the public reply arrives`, async () => {
    await mia.edit(work, "My better solution");
    const seen = await other.waitForPost({ id: work.id, contains: "better", edited: true });
    assert.equal((await other.posts()).filter((post) => post.id === work.id).length, 1);
    assert.match(seen.text, /My better solution$/);
  });
  await step(`${tag} an edit of the direct reply arrives`, async () => {
    await mia.edit(answer, "clarity 3");
    await other.waitForDirect({ id: answer.id, contains: "clarity 3" });
  });
  await step(`${tag} a like arrives`, async () => {
    await mia.like(notice);
    const { likers } = await other.waitForLike(notice);
    assert.deepEqual(likers, [mia.actor]);
  });
  return { notice, work };
}

const lab = await startLab({ firstKnock: "draft-cavage-http-signatures-12", directory: process.env.LAB_DIRECTORY });
let failed = 0;
try {
  const there = await play(lab.snac, lab.fedify);
  const back = await play(lab.fedify, lab.snac);
  for (const [mia, other, { work, notice }] of [[lab.snac, lab.fedify, there], [lab.fedify, lab.snac, back]]) {
    await step(`${mia.handle}>${other.handle} a deleted reply goes away`, async () => { await mia.delete(work); await other.waitUntilGone(work); });
    await step(`${mia.handle}>${other.handle} a deleted notice goes away`, async () => { await other.delete(notice); await mia.waitUntilGone(notice); });
  }
  await step("unfollowing snac from fedify is heard", async () => {
    await lab.fedify.unfollow(lab.snac.handle);
    assert.equal(await lab.fedify.following(lab.snac.handle), "none");
    await until("the follower to be gone", async () => !(await lab.snac.followers()).includes(lab.fedify.actor));
  });
  await step("unfollowing fedify from snac is heard", async () => {
    await lab.snac.unfollow(lab.fedify.handle);
    await until("the follower to be gone", async () => !(await lab.fedify.followers()).includes(lab.snac.actor));
  });
  await step("nothing went wrong inside fedify", async () => assert.deepEqual(await lab.fedify.problems(), []));
  await step("all traffic was signed or public", async () => {
    const inboxes = (await lab.wire()).filter((line) => line.method === "POST" && /inbox/.test(line.uri));
    assert.ok(inboxes.length >= 20, `only ${inboxes.length} deliveries`);
    assert.ok(inboxes.every((line) => line.signature), "an unsigned delivery");
  });
} catch (error) {
  failed = 1;
  lab.keep = true;
  console.log(error.stack);
  console.log(`files are kept in ${lab.directory}`);
} finally {
  await lab.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed);
