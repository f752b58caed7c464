import type { Command } from "./command.ts";

const name = { type: "positional", description: "Name of the backend" } as const;

const login = {
  meta: { name: "login", description: "Log in to a backend that wants OAuth" },
  args: { name, "no-browser": { type: "boolean", description: "Print the address instead of opening it" } },
  run: async (input) => (await import("./run/auth.ts")).login(input),
} satisfies Command;

const logout = {
  meta: { name: "logout", description: "Forget the login to a backend" },
  args: { name },
  run: async (input) => (await import("./run/auth.ts")).logout(input),
} satisfies Command;

const status = {
  meta: { name: "status", description: "Show which backends are logged in to" },
  run: async (input) => (await import("./run/auth.ts")).status(input),
} satisfies Command;

export const auth = {
  meta: { name: "auth", description: "Log in to backends by OAuth" },
  subCommands: { login, logout, status },
} satisfies Command;
