/** The methods that a client or a server may send. What nobody defined has no name in metrics, logs and traces. */
const METHODS = new Set([
  'initialize',
  'ping',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
  'server/discover',
  'subscriptions/listen',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
]);

/** What servers ask their clients. */
const ASKED = new Set(['elicitation/create', 'sampling/createMessage', 'roots/list']);

export function isClientMethod(method: string): boolean {
  return METHODS.has(method);
}

export function isKnownMethod(method: string): boolean {
  return METHODS.has(method) || ASKED.has(method);
}
