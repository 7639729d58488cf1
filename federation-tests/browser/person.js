// Who walks through the pages? Somebody with a browser of their own, in which no script runs.
import { expect } from '@playwright/test';

export class Person {
  static async arrive(browser, instance, looks, name) {
    const it = new Person();
    const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 800 }, timezoneId: 'UTC' });
    it.page = await context.newPage();
    it.page.setDefaultTimeout(8_000);
    Object.assign(it, { context, instance, looks, name });
    it.page.on('response', (response) => {
      if (response.request().isNavigationRequest() && response.frame() === it.page.mainFrame()) it.response = response;
    });
    it.page.on('console', (message) => {
      if (message.type() === 'error' && !/status of (404|422)/.test(message.text())) looks.problems.push(`${name} at ${it.page.url()}: ${message.text()}`);
    });
    return it;
  }

  get path() {
    return new URL(this.page.url()).pathname;
  }

  // Opens a page by address. Where a visitor finds a link, `follow` is better.
  async open(path) {
    await this.page.goto(new URL(path, this.instance.url).href);
    this.well();
  }

  async follow(name, { exact = false, within = 'body' } = {}) {
    await this.page.locator(within).getByRole('link', { name, exact }).first().click();
    this.well();
  }

  // Presses a button, which sends its form.
  async press(name, { exact = false, within = 'body', refused = false } = {}) {
    await this.page.locator(within).getByRole('button', { name, exact }).first().click();
    this.well(refused ? 422 : 200);
  }

  async fill(fields, within = 'main') {
    for (const [label, value] of Object.entries(fields)) {
      await this.page.locator(within).getByLabel(label, { exact: false }).first().fill(value);
    }
  }

  well(status = 200) {
    expect(this.response?.status(), `${this.name} at ${this.page.url()}: ${this.response?.status()}`).toBe(status);
  }

  // The page says so.
  async reads(text) {
    await expect(this.page.locator('body')).toContainText(text);
  }

  async readsNot(text) {
    await expect(this.page.locator('body')).not.toContainText(text);
  }

  // Loads again until the page says so: what comes from another server takes a moment.
  async waitsFor(text, seconds = 15) {
    await expect(async () => {
      await this.page.reload();
      await expect(this.page.locator('main, aside').filter({ hasText: text }).first()).toBeAttached({ timeout: 100 });
    }).toPass({ timeout: seconds * 1000, intervals: [200, 300, 500] });
  }

  // Has the page judged, once for each name.
  async looksAt(name) {
    await this.looks.add(name, this.page.url().replace(/#.*/, ''), this.response, await this.page.content());
  }

  async signUp(handle, password) {
    await this.open('/');
    await this.follow('Join', { exact: true });
    await this.fill({ 'Name for your address': handle, 'Shown name': this.name, 'Mail address': `${handle}@example.org`, Password: password });
    await this.press('Make the account');
    await this.signIn(handle, password);
  }

  async signIn(handle, password) {
    await this.fill({ 'Name or mail address': handle, Password: password });
    await this.press('Sign in', { within: 'main' });
  }

  async signOut() {
    await this.page.locator('details.menu summary').click();
    await this.press('Sign out');
  }
}
