/** A module that fails beside its own loading: nobody awaits what it rejects. */
Promise.reject(new Error('could not reach the licence server'));
await new Promise((resolve) => setTimeout(resolve, 50));

export default () => {};
