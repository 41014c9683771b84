// SPDX-License-Identifier: MIT
// reflect.js SOCKET NETNS VERSION: a client that has no .proto file and learns all from reflection.
// Prints one line of JSON for each packet until it has three; the first line tells the services.
"use strict";
const grpc = require("@grpc/grpc-js");
const { GrpcReflection } = require("grpc-js-reflection-client");

async function main(address, netns, version) {
  const credentials = grpc.credentials.createInsecure();
  const reflection = new GrpcReflection(address, credentials, undefined, version);
  const services = await reflection.listServices();
  console.log(JSON.stringify([...services].sort()));
  const descriptor = await reflection.getDescriptorBySymbol("nflog.v1.NflogService");
  const contract = descriptor.getPackageObject({ keepCase: true, longs: Number, enums: String, oneofs: true });
  const client = new contract.nflog.v1.NflogService(address, credentials);
  const call = client.Subscribe({ netns: [netns], follow: true, view: "PACKET_VIEW_FULL" });
  let seen = 0;
  call.on("data", (response) => {
    if (response.event === "started") {
      console.log(JSON.stringify("started"));
    }
    for (const packet of response.batch ? response.batch.packets : []) {
      console.log(JSON.stringify({ prefix: packet.prefix, port: packet.decoded.destination_port }));
      seen += 1;
    }
    if (seen >= 3) {
      process.exit(0);
    }
  });
  call.on("error", (error) => {
    console.error(String(error));
    process.exit(1);
  });
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(String(error));
  process.exit(1);
});
