/** What several suites say about an answer, in one place, so that "an error" means the same everywhere. */
import { expect } from 'chai';
import type { RpcId, RpcMessage } from './json-rpc.js';
import type { RawResponse } from './raw-http.js';

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An error of the transport: this status, and a JSON-RPC error object as its body. */
export async function expectRpcError(
  response: RawResponse,
  status: number,
  code?: number | readonly number[],
  id?: RpcId,
): Promise<RpcMessage> {
  const text = await response.text();
  expect(response.status, text).to.equal(status);
  expect(response.headers['content-type'], text).to.match(/^application\/json/);
  const body = JSON.parse(text) as RpcMessage;
  expect(body.jsonrpc, text).to.equal('2.0');
  expect(body, text).to.not.have.property('result');
  expect(body.error?.message, text).to.be.a('string').and.not.empty;
  if (code !== undefined) expect(body.error?.code, text).to.be.oneOf([code].flat());
  else expect(Number.isInteger(body.error?.code), text).to.equal(true);
  if (id !== undefined) expect(body.id, text).to.equal(id);
  return body;
}

/** One and the same answer for every session that is not there, so that nobody learns which of them once was. */
export async function expectSessionNotFound(response: RawResponse, id: RpcId = null): Promise<void> {
  const body = await expectRpcError(response, 404, -32001, id);
  expect(body.error?.message).to.equal('Session not found');
}
