// Can a course be taken across two instances with nothing but the pages, without a script, at WCAG 2.2 AA?
import { expect, test } from '@playwright/test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Looks } from './looks.js';
import { Person } from './person.js';
import { Instance } from './servers.js';

const HOUR = 3_600_000;
const PASSWORD = 'seven hedges in a row';
const day = (ahead) => new Date(Date.now() + ahead * 24 * HOUR).toISOString().slice(0, 10);
// For a field of date and time, in UTC.
const moment = (hours) => new Date(Date.now() + hours * HOUR).toISOString().slice(0, 16);

const CRITERIA = [
  ['Clear', 'clear', ['hard to follow', 'mostly clear', 'clear throughout']],
  ['Sources', 'sources', ['none', 'some', 'all that matter']],
  ['Own thought', 'thought', ['repeats', 'compares', 'goes further']],
];

let clock;
let folder;
let north;
let south;
let looks;
const people = {};

test.beforeAll(async ({ browser }) => {
  folder = await mkdtemp(join(tmpdir(), 'hedgeschool-clock-'));
  clock = join(folder, 'clock');
  await writeFile(clock, '0');
  [north, south] = await Promise.all([Instance.start('north', clock), Instance.start('south', clock)]);
  looks = await Looks.open(browser);
  const all = [['ada', north, 'Ada'], ['bo', north, 'Bo'], ['guest', north, 'A guest'], ['eve', south, 'Eve'], ['dov', south, 'Dov']];
  for (const [key, at, name] of all) people[key] = await Person.arrive(browser, at, looks, name);
});

test.afterAll(async ({}, testInfo) => {
  if (testInfo.status !== testInfo.expectedStatus) {
    for (const it of [north, south]) {
      const lines = it?.output.split('\n').filter((line) => /WARN|ERROR|panic|refused|search/.test(line)) ?? [];
      if (lines.length) console.error(`${it.name} logged:\n${lines.slice(-40).join('\n')}`);
    }
    if (looks?.problems.length) console.error(`wrong with pages so far:\n${looks.problems.join('\n')}`);
    for (const it of Object.values(people)) {
      const said = await it.page.locator('main').innerText({ timeout: 500 }).catch(() => '');
      console.error(`${it.name} is at ${it.page.url()}: ${said.replace(/\s+/g, ' ').slice(0, 300)}`);
    }
  }
  await Promise.all([north?.stop(), south?.stop()]);
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function setUp(person, school, handle) {
  await person.page.goto(person.instance.setUp);
  await person.looksAt('set-up');
  await person.press('Open the school', { refused: true });
  await person.looksAt('set-up-refused');
  await person.fill({
    'What it is called': school, 'Name for your address': handle, 'Shown name': person.name,
    'Mail address': `${handle}@example.org`, Password: PASSWORD,
  });
  await person.page.locator('input[name=sign_up][value=open]').check();
  await person.press('Open the school');
  await person.signIn(handle, PASSWORD);
}

async function writeSyllabus(ada, course) {
  await ada.open(`${course}/syllabus`);
  await ada.looksAt('syllabus-empty');
  await ada.follow('Write it');
  await ada.looksAt('syllabus-editor-empty');
  await ada.press('Add a unit');
  await ada.press('Add a unit');
  await ada.press('Add a task to unit 1');
  await ada.press('Add a resource to unit 1');
  await ada.press('Add a task to unit 2');
  await ada.page.locator('#f-unit-0-title').fill('Why hedges');
  await ada.page.locator('#f-unit-0-summary').fill('What grows in a **hedge**, and who lives there.');
  await ada.page.locator('#f-unit-0-task-0-title').fill('Walk along one');
  await ada.page.locator('#f-unit-0-resource-0-title').fill('The hedge book');
  await ada.page.locator('#f-unit-0-resource-0-url').fill('https://books.example/hedge');
  await ada.page.locator('#f-unit-0-resource-0-license').fill('CC-BY-4.0');
  await ada.page.locator('#f-unit-1-title').fill('Planting');
  await ada.page.locator('#f-unit-1-task-0-title').fill('Plant three');
  await ada.press(/Move down ?: unit 1/);
  await expect(ada.page.locator('#f-unit-0-title')).toHaveValue('Planting');
  await ada.press(/Move up ?: unit 2/);
  await expect(ada.page.locator('#f-unit-0-title')).toHaveValue('Why hedges');
  await ada.looksAt('syllabus-editor');
  await ada.press('Save the syllabus');
  await ada.reads('Saved as version 1.');
  await ada.looksAt('syllabus');
  await ada.follow('All versions');
  await ada.looksAt('syllabus-versions');
}

async function writeAssignment(ada) {
  await ada.fill({
    Title: 'A hedge near you', 'In one sentence': 'Describe one hedge that you know.',
    'The task': 'Choose a hedge.\n\n- What grows there?\n- Who lives there?', 'Hand in by': moment(2), 'Review by': moment(48),
    'Reviews that each work gets': '1',
  });
  for (const [c, [name, word, levels]] of CRITERIA.entries()) {
    const at = (field) => ada.page.locator(`[name="c${c}-${field}"]`);
    await at('name').fill(name);
    await at('id').fill(word);
    await at('prompt').fill(`Is it ${word}?`);
    for (const [l, level] of levels.entries()) await at(`l${l}-name`).fill(level);
  }
}

async function handIn(person, text) {
  await person.fill({ 'What you want to hand in': text });
  await person.page.getByLabel('Files').first().setInputFiles({ name: 'hedge.txt', mimeType: 'text/plain', buffer: Buffer.from('hawthorn, hazel, dog rose\n') });
  await person.press('Hand in', { exact: true });
}

async function review(person, comment) {
  await person.press('Send the review', { refused: true });
  await person.looksAt(`review-refused-${person.instance.name}`);
  for (const criterion of await person.page.locator('fieldset.criterion:has(input[type=radio])').all()) {
    await criterion.locator('input[type=radio]').last().check();
  }
  await person.fill({ 'Your comment': comment });
  await person.press('Send the review');
}

test('the story through the pages', async ({}, testInfo) => {
  const { ada, bo, guest, eve, dov } = people;
  let course;
  let mirror;
  let assignment;
  let mirrored;

  await test.step('schools are set up by their one-time links', async () => {
    await guest.open('/');
    await guest.looksAt('front-before-set-up');
    await setUp(ada, 'Hedge School North', 'ada');
    await setUp(eve, 'Hedge School South', 'eve');
    await ada.open('/');
    await ada.looksAt('front-first-admin');
    const again = await guest.page.goto(north.setUp);
    expect(again.status(), 'the link works once').toBeGreaterThanOrEqual(400);
    await guest.looksAt('set-up-used');
  });

  await test.step('pages that everyone sees', async () => {
    for (const path of ['/', '/courses', '/about', '/rules', '/privacy', '/search', '/sign-in', '/sign-up', '/reset']) {
      await guest.open(path);
      await guest.looksAt(`guest${path.replaceAll('/', '-')}`);
    }
    const missing = await guest.page.goto(`${north.url}/c/nothing-here`);
    expect(missing.status()).toBe(404);
    await guest.looksAt('not-found');
  });

  await test.step('people sign up and in', async () => {
    await bo.open('/sign-up');
    await bo.press('Make the account', { refused: true });
    await bo.looksAt('sign-up-refused');
    await bo.signUp('bo', PASSWORD);
    await bo.signOut();
    await bo.follow('Sign in', { exact: true });
    await bo.fill({ 'Name or mail address': 'bo', Password: 'not it at all' });
    await bo.press('Sign in', { within: 'main', refused: true });
    await bo.looksAt('sign-in-refused');
    await bo.signIn('bo', PASSWORD);
    await dov.signUp('dov', PASSWORD);
    for (const path of ['/me', '/reviews', '/notices', '/settings', '/settings/password', '/settings/sessions']) {
      await bo.open(path);
      await bo.looksAt(`empty${path.replaceAll('/', '-')}`);
    }
    await bo.press('Dark', { exact: true });
    await expect(bo.page.locator('html')).toHaveAttribute('data-theme', 'dark');
    await bo.press('As my device');
  });

  await test.step('the administrator looks around', async () => {
    for (const path of ['/admin', '/admin/accounts', '/admin/invitations', '/admin/proposals', '/admin/settings']) {
      await ada.open(path);
      await ada.looksAt(path.slice(1).replaceAll('/', '-'));
    }
  });

  await test.step('Bo chooses a new password by a link', async () => {
    await ada.open('/admin/accounts?q=bo');
    await ada.follow('Bo', { within: 'main table' });
    await ada.looksAt('admin-account');
    await ada.press('Make a link');
    await ada.looksAt('admin-account-link');
    const link = await ada.page.locator('main .note p.handle').textContent();
    await guest.open(link.trim());
    await guest.looksAt('new-password');
    await guest.press('Set the password', { refused: true });
    await guest.looksAt('new-password-refused');
    await guest.fill({ 'New password': PASSWORD });
    await guest.press('Set the password');
    await guest.reads('Your password is changed');
    await guest.open(link.trim());
    await guest.reads('used already');
    await bo.open('/sign-in');
    await bo.signIn('bo', PASSWORD);
  });

  await test.step('Ada proposes a course and gets it listed', async () => {
    await ada.open('/propose');
    await ada.press('Propose it', { refused: true });
    await ada.looksAt('propose-refused');
    await ada.fill({
      Title: 'Hedges for beginners', Handle: 'hedges', 'In one sentence': 'Know the hedges around you.',
      'What is it for': 'For **everyone** who walks past hedges.\n\nTwo hours a week.',
    });
    await ada.press('Propose it');
    course = ada.path;
    expect(course).toBe('/c/hedges');
    await ada.looksAt('course-proposed');
    await ada.open('/admin/proposals');
    await ada.looksAt('admin-proposals-one');
    await ada.press('List it');
    await ada.open(course);
    await ada.looksAt('course-without-run');
    await ada.follow('Change the course');
    await ada.looksAt('course-edit');
  });

  await test.step('Ada writes the syllabus by its buttons', () => writeSyllabus(ada, course));

  await test.step('Ada plans a run and opens it', async () => {
    await ada.open(course);
    await ada.follow('Plan a run');
    await ada.looksAt('run-new');
    await ada.press('Save', { exact: true, refused: true });
    await ada.looksAt('run-refused');
    await ada.fill({ Name: 'Autumn', 'First day': day(0), 'Last day': day(60), 'Time zone': 'UTC', Seats: '20' });
    await ada.page.locator('input[name=enrolling][value=open]').check();
    await ada.press('Save', { exact: true });
    await ada.reads('Planned.');
    await ada.press('Open it for people');
    await ada.looksAt('course-organizer');
    await guest.open(course);
    await guest.looksAt('course-guest');
    // Dov reads it without an account there and goes on at his own server.
    await guest.follow('Follow from your own server');
    await guest.looksAt('from-own-server');
    await guest.fill({ 'Your handle': 'dov' });
    await guest.press('Find my server', { refused: true });
    await guest.looksAt('from-own-server-refused');
    await guest.fill({ 'Your handle': `@dov@${south.host}` });
    await guest.press('Find my server');
    await guest.looksAt('continue-to-server');
    const on = await guest.page.getByRole('link', { name: 'Continue to your server' }).getAttribute('href');
    expect(on).toContain(`${south.url}/authorize_interaction?uri=`);
    await dov.page.goto(on);
    await dov.looksAt('authorize-interaction');
    await dov.press('Look it up');
    await dov.reads('Hedges for beginners');
    await guest.open('/courses');
    await guest.looksAt('courses');
    await guest.open('/');
    await guest.looksAt('front');
  });

  await test.step('Bo enrolls by the form', async () => {
    await bo.open('/courses');
    await bo.follow('Hedges for beginners');
    await bo.press('Enroll', { exact: true });
    await bo.reads('you take part');
    await bo.looksAt('course-participant');
    await bo.follow('People', { exact: true });
    await bo.looksAt('people');
  });

  await test.step('Dov finds the course from south and enrolls there', async () => {
    await dov.open('/courses');
    await dov.open('/search');
    await dov.fill({ 'Words, the handle': `@hedges@${north.host}` });
    await dov.press('Search', { within: 'main' });
    if (dov.path === '/search') {
      await dov.looksAt('search-found');
      await dov.follow('Hedges for beginners');
    }
    mirror = dov.path;
    await dov.reads('Hedges for beginners');
    await dov.looksAt('mirror');
    await dov.press('Enroll', { exact: true });
    await dov.looksAt('mirror-asked');
    await dov.waitsFor('you take part');
    await dov.looksAt('mirror-participant');
    for (const part of ['syllabus', 'people', 'discussion']) {
      await dov.open(`${mirror}/${part}`);
      await dov.looksAt(`mirror-${part}`);
    }
    await ada.open(`${course}/people`);
    await ada.reads('Dov');
    await ada.looksAt('people-organizer');
  });

  await test.step('Ada opens an assignment with a rubric of three criteria', async () => {
    await ada.open(course);
    await ada.press('Start it');
    await ada.follow('New assignment');
    await ada.looksAt('assignment-new');
    await ada.press('Save the draft', { refused: true, exact: true });
    await ada.looksAt('assignment-refused');
    await writeAssignment(ada);
    await ada.press('Save the draft', { exact: true });
    assignment = ada.path;
    await ada.looksAt('assignment-draft');
    await ada.follow('Open it');
    await ada.looksAt('assignment-opening');
    await ada.press('Open it');
    await ada.reads('The assignment is open.');
    await ada.looksAt('assignment-organizer');
    await ada.follow('Move the times');
    await ada.looksAt('assignment-deadline');
    await ada.open(`${assignment}/edit`);
    await ada.looksAt('assignment-edit-open');
    await ada.open(`${course}/assignments`);
    await ada.looksAt('assignments-organizer');
  });

  await test.step('Bo hands in a text with a file', async () => {
    await bo.open(course);
    await bo.follow('Assignments', { within: 'main' });
    await bo.looksAt('assignments');
    await bo.follow('A hedge near you', { within: 'main' });
    await bo.looksAt('assignment');
    await bo.follow('Hand in your work');
    await bo.looksAt('hand-in');
    await bo.press('Hand in', { exact: true, refused: true });
    await bo.looksAt('hand-in-refused');
    await handIn(bo, 'The hedge behind the school is **old**.');
    await bo.reads('hedge.txt');
    await bo.reads('Version 1 was received');
    await bo.looksAt('handed-in');
    await bo.follow('Take it back');
    await bo.looksAt('withdrawal');
  });

  await test.step('Dov hands in on south', async () => {
    await expect(async () => {
      await dov.open(`${mirror}/assignments`);
      await expect(dov.page.getByRole('link', { name: 'A hedge near you' })).toBeVisible({ timeout: 100 });
    }).toPass({ timeout: 15_000 });
    await dov.looksAt('mirror-assignments');
    await dov.follow('A hedge near you', { within: 'main' });
    mirrored = dov.path;
    await dov.looksAt('mirror-assignment');
    await dov.follow('Hand in your work');
    await handIn(dov, 'A hedge by the sea, bent by the wind.');
    await dov.looksAt('mirror-handed-in');
    await dov.waitsFor('was received');
    await dov.fill({ 'What you want to hand in': 'A hedge by the sea, bent by the *west* wind.' });
    await dov.press('Hand in', { exact: true });
    await dov.waitsFor('Version 2 was received');
    await dov.looksAt('mirror-two-versions');
    await ada.open(`${assignment}/submissions`);
    await ada.looksAt('submissions');
    await ada.follow('Dov', { within: 'main' });
    await ada.reads('west');
    await ada.looksAt('submission-of-dov');
  });

  await test.step('they talk', async () => {
    await bo.open(`${course}/discussion`);
    await bo.looksAt('discussion-empty');
    await bo.press('Post it', { refused: true });
    await bo.looksAt('discussion-refused');
    await bo.fill({ Title: 'Which tools', Text: 'Do I need *shears*?' });
    await bo.press('Post it');
    await bo.reads('Your post is out.');
    await dov.open(`${mirror}/discussion`);
    await dov.waitsFor('Which tools');
    await dov.looksAt('mirror-threads');
    await dov.follow('Which tools', { within: 'main' });
    await dov.looksAt('mirror-thread');
    await dov.fill({ 'Your answer': 'A knife is enough.' });
    await dov.press('Post the answer');
    await bo.waitsFor('A knife is enough.');
    await bo.looksAt('thread');
    await bo.follow('Edit your post');
    await bo.looksAt('post-edit');
    await bo.fill({ Text: 'Do I need shears or a saw?' });
    await bo.press('Save', { exact: true });
    await bo.reads('or a saw');
    await dov.waitsFor('or a saw');
    await bo.follow('Delete the post of Bo');
    await bo.looksAt('post-delete');
    await bo.press('Delete it');
    await bo.reads('The post is deleted.');
    await bo.looksAt('discussion');
    await dov.waitsFor('deleted by its author');
    await bo.open(`${assignment}/comments`);
    await bo.looksAt('comments');
    await bo.fill({ 'Your comment': 'How long may it be?' });
    await bo.press('Post the comment');
    await bo.looksAt('comments-one');
  });

  await test.step('hand-in ends, and both review', async () => {
    await bo.open('/me');
    await bo.looksAt('me');
    await writeFile(clock, String(3 * HOUR));
    for (const person of [bo, dov]) {
      await expect(async () => {
        await person.open('/reviews');
        await expect(person.page.locator('main').getByRole('link', { name: 'A hedge near you' })).toBeVisible({ timeout: 100 });
      }).toPass({ timeout: 30_000, intervals: [300, 500] });
      const at = person.instance.name;
      await person.looksAt(`reviews-${at}`);
      await person.follow('A hedge near you', { within: 'main' });
      await person.looksAt(`review-${at}`);
      await person.readsNot(person === bo ? 'Dov' : /\bBo\b/);
    }
    await bo.follow('cannot do this one');
    await bo.looksAt('review-declining');
    await bo.follow('Keep it');
    await review(bo, 'Say more about the **birds**.');
    await bo.reads('Your review is in.');
    await bo.looksAt('review-sent');
    await review(dov, 'I can see it before me.');
    await dov.looksAt('mirror-review-sent');
    await expect(async () => {
      await dov.page.reload();
      await expect(dov.page.locator('main')).not.toContainText('has not confirmed it yet', { timeout: 100 });
    }).toPass({ timeout: 15_000 });
    await bo.open(`${assignment}/submission`);
    await bo.looksAt('hand-in-over');
  });

  await test.step('reviews are released, and Ada overrides one', async () => {
    await ada.open(`${assignment}/results`);
    await ada.looksAt('results-before');
    await ada.follow('Release them now');
    await ada.looksAt('release');
    await ada.press('Release the reviews');
    await ada.reads('The reviews are out.');
    await ada.looksAt('results');
    await ada.page.locator('main details summary').first().click();
    await ada.press('Change the result', { refused: true });
    await ada.looksAt('override-refused');
    const form = ada.page.locator('article', { has: ada.page.getByRole('heading', { name: 'Bo' }) }).locator('details');
    if (!(await form.evaluate((element) => element.open).catch(() => false))) await form.locator('summary').click();
    await form.getByLabel('Points, from').fill('5');
    await form.getByLabel('Why').fill('The sources are better than that.');
    await form.getByRole('button', { name: 'Change the result' }).click();
    await ada.reads('The result is changed');
    await ada.looksAt('results-overridden');
  });

  await test.step('both authors read what their readers said', async () => {
    await bo.open('/notices');
    await bo.looksAt('notices');
    await bo.open('/me');
    await bo.follow('Reviews of', { within: 'main' });
    await bo.reads('I can see it before me.');
    await bo.reads('The sources are better than that.');
    await bo.readsNot('Dov');
    await bo.readsNot(south.host);
    await bo.looksAt('feedback');
    await dov.open('/me');
    await dov.waitsFor('Reviews of');
    await dov.looksAt('me-south');
    await dov.follow('Reviews of', { within: 'main' });
    await dov.reads('Say more about the birds');
    await dov.readsNot(/\bBo\b/);
    await dov.looksAt('mirror-feedback');
    await dov.open(mirrored);
    await dov.looksAt('mirror-assignment-released');
    await dov.open('/notices');
    await dov.looksAt('mirror-notices');
  });

  await test.step('Dov leaves', async () => {
    await dov.open(mirror);
    await dov.follow('Leave', { exact: true });
    await dov.looksAt('leaving');
    await dov.page.locator('main form button').click();
    await dov.reads('You have left.');
    await expect(async () => {
      await ada.open(`${course}/people`);
      await expect(ada.page.locator('main')).not.toContainText('Dov', { timeout: 100 });
    }).toPass({ timeout: 15_000 });
    await guest.open('/u/ada');
    await guest.looksAt('person');
    await ada.open(course);
    await ada.looksAt('course-at-the-end');
  });

  await test.step('the last pages are judged', () => looks.work);
  testInfo.annotations.push({ type: 'looks', description: `${looks.seen.size} pages, ${looks.scans} scans, ` });
  expect(looks.problems, `wrong with pages:\n${looks.problems.join('\n')}`).toEqual([]);
});
