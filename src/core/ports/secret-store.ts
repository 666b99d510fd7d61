/** Secrets that the fleet makes for itself, so that nobody has to set them up. */
export interface SecretStore {
  /**
   * The fleet's secret of that name; `candidate` becomes it where there is none yet. Of many nodes that ask at once all
   * get the same. It lives for months from the last time anybody asked.
   */
  shared(name: string, candidate: string): Promise<string>;
}
