// Is a page fit to be seen? Judged in a second browser window that may run scripts, from the very bytes that a visitor
// got, so that a page after a refused form is judged too. Nothing here changes anything on the server.
import axe from 'axe-core';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const SIZES = { phone: { width: 390, height: 844 }, laptop: { width: 1280, height: 800 } };
const SCHEMES = ['light', 'dark'];
const NARROW = { width: 320, height: 700 };
// A folder for pictures of every page, to look at them oneself.
const PICTURES = process.env.HEDGESCHOOL_PICTURES;

export class Looks {
  constructor(context, page) {
    this.context = context;
    this.page = page;
    this.seen = new Set();
    this.problems = [];
    this.scans = 0;
    this.work = Promise.resolve();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.note(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.note(`page error: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() >= 400 && response.request().resourceType() !== 'document') this.note(`${response.status()} ${response.url()}`);
    });
  }

  static async open(browser) {
    // Without motion, so that no colour is measured half way.
    const context = await browser.newContext({ reducedMotion: 'reduce' });
    return new Looks(context, await context.newPage());
  }

  note(problem) {
    this.problems.push(`${this.at}: ${problem}`);
  }

  // Puts a page in the queue, once for each `name`: the walk goes on while it is judged.
  add(name, url, response, html) {
    if (this.seen.has(name)) return;
    this.seen.add(name);
    const policy = response?.headers()['content-security-policy'] ?? '';
    this.work = this.work.then(() => this.judge(name, url, policy, html)).catch((error) => this.note(error.message));
  }

  // In both sizes and both colour schemes, and as narrow as phones get.
  async judge(name, url, policy, html) {
    this.at = name;
    if (!policy) this.note('no content security policy');
    const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy };
    const serve = (route) => route.fulfill({ status: 200, headers, body: html });
    const here = ({ href }) => href === url;
    await this.page.emulateMedia({ colorScheme: 'light' });
    await this.page.setViewportSize(SIZES.laptop);
    await this.page.route(here, serve);
    await this.page.goto(url);
    await this.page.unroute(here, serve);
    await this.page.evaluate(axe.source);
    await this.structure();
    for (const colorScheme of SCHEMES) {
      await this.page.emulateMedia({ colorScheme });
      for (const [size, viewport] of Object.entries(SIZES)) {
        await this.page.setViewportSize(viewport);
        await this.axe(`${size}, ${colorScheme}`);
        await this.picture(`${name}-${size}-${colorScheme}`);
      }
    }
    await this.narrow();
  }

  // What axe does not see: scripts where none may be, pages without a title of their own, parts that are closed.
  async structure() {
    const found = await this.page.evaluate(() => {
      for (const closed of document.querySelectorAll('main details, aside details')) closed.open = true;
      const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
      return {
        scripts: document.scripts.length,
        styles: document.querySelectorAll('style, [style]').length,
        headings: document.querySelectorAll('h1').length,
        twice: ids.filter((id, at) => ids.indexOf(id) !== at),
        text: document.querySelector('main')?.innerText ?? '',
      };
    });
    if (found.scripts) this.note(`${found.scripts} scripts`);
    if (found.styles) this.note(`${found.styles} inline styles`);
    if (found.headings !== 1) this.note(`${found.headings} first headings`);
    if (found.twice.length) this.note(`ids given twice: ${found.twice.join(', ')}`);
    if (found.text.trim().length < 10) this.note('an empty page');
  }

  async axe(how) {
    this.scans += 1;
    const options = { runOnly: { type: 'tag', values: TAGS }, resultTypes: ['violations'], iframes: false };
    const { violations } = await this.page.evaluate((options) => window.axe.run(document, options), options);
    for (const { id, help, nodes } of violations) {
      const { target, html, failureSummary } = nodes[0];
      this.note(`${how}: ${id} (${help}), ${nodes.length} times, first ${target.join(' ')}: ${failureSummary.replace(/\s+/g, ' ')} ${html.slice(0, 200)}`);
    }
  }

  async narrow() {
    await this.page.setViewportSize(NARROW);
    const wide = await this.page.evaluate(async () => {
      // A busy machine may not have laid the page out anew yet.
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const room = document.documentElement.clientWidth;
      if (document.documentElement.scrollWidth <= room) return null;
      const over = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > room + 1);
      return over.slice(-3).map((element) => element.outerHTML.slice(0, 120)).join(' | ') || 'somewhere';
    });
    if (wide) this.note(`scrolls sideways at ${NARROW.width} px: ${wide}`);
  }

  async picture(name) {
    if (!PICTURES) return;
    await mkdir(PICTURES, { recursive: true });
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  }
}
