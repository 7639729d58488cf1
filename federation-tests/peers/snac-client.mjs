// How is snac's Mastodon API spoken, without a browser?
//
//   node snac-client.mjs COMMAND [ARGUMENT...]      SNAC_URL (http://127.0.0.1:PORT), and SNAC_TOKEN or SNAC_PASSWORD
//
// COMMAND: token | find HANDLE | follow HANDLE | unfollow HANDLE | relationship HANDLE | home | notifications | directs
//        | status ID | post TEXT [VISIBILITY] | reply ID TEXT [VISIBILITY] | edit ID TEXT | delete URI | like ID
// VISIBILITY is public, unlisted or direct; ID is snac's own id of a status, URI its ActivityPub id. Each prints JSON.
import { pathToFileURL } from "node:url";

/** One signed-in person on one snac. */
export class SnacClient {
  constructor({ url, user = "mia", password, token }) {
    Object.assign(this, { url: url.replace(/\/$/, ""), user, password, token });
  }

  /** A token in one request: snac's own short cut beside OAuth's app, authorize and token steps. */
  async signIn() {
    if (this.token) return this.token;
    const answer = await this.#send("POST", "/oauth/x-snac-get-token", { form: { login: this.user, passwd: this.password }, open: true });
    if (!/^[0-9a-f]{32}$/.test(answer.trim())) throw new Error("snac gave no token: wrong password?");
    return this.token = answer.trim();
  }

  /** The account behind user@host, fetched by WebFinger; null when there is none. */
  async find(handle) {
    const name = handle.replace(/^@/, "");
    const found = await this.#api("GET", `/api/v2/search?type=accounts&resolve=true&q=${encodeURIComponent(name)}`);
    return found.accounts[0] ?? null;
  }

  async follow(handle) { return this.#api("POST", `/api/v1/accounts/${await this.#account(handle)}/follow`, {}); }
  async unfollow(handle) { return this.#api("POST", `/api/v1/accounts/${await this.#account(handle)}/unfollow`, {}); }
  async relationship(handle) {
    return (await this.#api("GET", `/api/v1/accounts/relationships?id[]=${await this.#account(handle)}`))[0] ?? null;
  }

  home() { return this.#api("GET", "/api/v1/timelines/home?limit=50"); }
  notifications() { return this.#api("GET", "/api/v1/notifications"); }
  /** snac has no conversations in its API (always []): direct notes are mentions that are not public. */
  async directs() {
    return (await this.notifications()).filter((one) => one.type === "mention" && one.status?.visibility === "private").map((one) => one.status);
  }
  status(id) { return this.#api("GET", `/api/v1/statuses/${id}`); }

  post(text, visibility = "public") { return this.#api("POST", "/api/v1/statuses", { status: text, visibility }); }
  reply(id, text, visibility = "public") { return this.#api("POST", "/api/v1/statuses", { status: text, visibility, in_reply_to_id: id }); }
  edit(id, text) { return this.#api("PUT", `/api/v1/statuses/${id}`, { status: text }); }
  like(id) { return this.#api("POST", `/api/v1/statuses/${id}/favourite`, {}); }

  /** 2.75 cannot delete by its API; its web page can, with the password. */
  async delete(uri) {
    if (!this.password) throw new Error("deleting needs the password");
    const form = { id: uri, action: "Delete" };
    await this.#send("POST", `/${this.user}/admin/action`, { form, basic: true, expect: [303] });
    return { deleted: uri };
  }

  async #account(handle) {
    const account = await this.find(handle);
    if (!account) throw new Error(`${handle} is not found`);
    return account.id;
  }

  async #api(method, path, json) {
    await this.signIn();
    return JSON.parse(await this.#send(method, path, { json }));
  }

  async #send(method, path, { json, form, open, basic, expect = [200] }) {
    // snac closes idle connections when it likes, and a POST that meets that is lost.
    const headers = { accept: "application/json", connection: "close" };
    if (json) headers["content-type"] = "application/json";
    if (form) headers["content-type"] = "application/x-www-form-urlencoded";
    if (basic) headers.authorization = `Basic ${Buffer.from(`${this.user}:${this.password}`).toString("base64")}`;
    else if (!open) headers.authorization = `Bearer ${this.token}`;
    const body = json ? JSON.stringify(json) : form ? new URLSearchParams(form).toString() : undefined;
    const answer = await fetch(this.url + path, { method, headers, body, redirect: "manual", signal: AbortSignal.timeout(30_000) });
    const text = await answer.text();
    if (!expect.includes(answer.status)) throw new SnacRefusal(answer.status, `snac: ${method} ${path.split("?")[0]} gave ${answer.status}`);
    return text;
  }
}

/** snac answered something else than was expected. */
export class SnacRefusal extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

async function main([command, ...words]) {
  const { SNAC_URL: url, SNAC_TOKEN: token, SNAC_PASSWORD: password } = process.env;
  const commands = ["find", "follow", "unfollow", "relationship", "home", "notifications", "directs", "status", "post", "reply", "edit", "delete", "like"];
  if (!url || !(command === "token" || commands.includes(command))) {
    console.error(`SNAC_URL=... node snac-client.mjs token|${commands.join("|")} [ARGUMENT...]`);
    process.exit(2);
  }
  const client = new SnacClient({ url, token, password });
  const answer = command === "token" ? { token: await client.signIn() } : await client[command](...words);
  console.log(JSON.stringify(answer, null, 2));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).catch((error) => { console.log(JSON.stringify({ error: error.message })); process.exit(1); });
}
