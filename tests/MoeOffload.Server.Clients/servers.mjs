// What every client is given: a server with a model that answers, and one whose model calls tools.

const [url, model, callingUrl, callingModel] = process.argv.slice(2);

export const main = { url, model };
export const calling = { url: callingUrl, model: callingModel };

/** The arguments of a tool. */
export const weather = {
  type: "object", properties: { city: { type: "string", enum: ["Oslo", "Rome"] } }, required: ["city"], additionalProperties: false,
};
