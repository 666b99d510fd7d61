/** Session ids are UUIDs; whatever has another form is refused without asking the store. */
const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function isSessionId(value: string): boolean {
  return FORM.test(value);
}
