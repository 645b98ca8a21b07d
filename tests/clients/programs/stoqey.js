// The node library @stoqey/ib: HOST PORT QUANTITY.
const { IBApi, EventName, OrderAction, OrderType, SecType, IBApiTickType, TimeInForce } = require("@stoqey/ib");

const [host, port, quantity] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const CLIENT_ID = 9;
const steps = {};
const errors = [];
const spy = { symbol: "SPY", secType: SecType.STK, exchange: "SMART", currency: "USD" };

const finish = (failure) => {
  console.log(JSON.stringify({ client: "@stoqey/ib", failure, steps }));
  process.exit(failure ? 1 : 0);
};

// Resolves with the arguments of the first event that `accept` likes.
const heard = (ib, event, accept = () => true) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${event} did not come within 20 seconds`)), 20000);
    const listener = (...values) => {
      if (!accept(...values)) return;
      clearTimeout(timer);
      ib.off(event, listener);
      resolve(values);
    };
    ib.on(event, listener);
  });

const connected = async () => {
  const ib = new IBApi({ host, port, clientId: CLIENT_ID });
  ib.on(EventName.error, (error, code) => errors.push(`${code} ${error.message}`));
  const first = heard(ib, EventName.nextValidId);
  ib.connect();
  const [nextId] = await first;
  return { ib, nextId };
};

const story = async () => {
  const { ib, nextId } = await connected();
  let id = nextId;
  steps["server version"] = ib.serverVersion;

  const details = heard(ib, EventName.contractDetails);
  ib.reqContractDetails(1, spy);
  steps["contract details"] = (await details)[1].contract.conId;

  const bid = heard(ib, EventName.tickPrice, (_, field, price) => field === IBApiTickType.BID && price > 0);
  const ask = heard(ib, EventName.tickPrice, (_, field, price) => field === IBApiTickType.ASK && price > 0);
  ib.reqMktData(2, spy, "", false, false);
  const prices = [(await bid)[2], (await ask)[2]];
  ib.cancelMktData(2);
  steps["market data"] = prices;

  const fills = [];
  const commissions = [];
  ib.on(EventName.execDetails, (_, __, execution) => fills.push(execution.shares));
  ib.on(EventName.commissionReport, (report) => commissions.push(report.commission));
  const buy = id++;
  const done = heard(ib, EventName.orderStatus, (order, status) => order === buy && status === "Filled");
  ib.placeOrder(buy, spy, { action: OrderAction.BUY, orderType: OrderType.MKT, totalQuantity: quantity, tif: TimeInForce.DAY, transmit: true });
  await done;
  while (commissions.length < fills.length) await heard(ib, EventName.commissionReport);
  steps.fills = [...fills];
  steps.filled = fills.reduce((sum, shares) => sum + shares, 0);

  const resting = id++;
  const limit = (lmtPrice) => ({ action: OrderAction.BUY, orderType: OrderType.LMT, totalQuantity: 100, lmtPrice, tif: TimeInForce.DAY, transmit: true });
  const low = Math.round(prices[0] * 95) / 100;
  const works = heard(ib, EventName.orderStatus, (order, status) => order === resting && status === "Submitted");
  ib.placeOrder(resting, spy, limit(low));
  await works;
  const changed = heard(ib, EventName.openOrder, (order, _, terms) => order === resting && Math.abs(terms.lmtPrice - low + 1) < 0.001);
  ib.placeOrder(resting, spy, limit(low - 1));
  steps.modify = (await changed)[2].lmtPrice;

  let open = 0;
  const countOpen = () => open++;
  ib.on(EventName.openOrder, countOpen);
  const listed = heard(ib, EventName.openOrderEnd);
  ib.reqAllOpenOrders();
  await listed;
  ib.off(EventName.openOrder, countOpen);
  steps["open orders"] = open;

  const cancelled = heard(ib, EventName.orderStatus, (order, status) => order === resting && status === "Cancelled");
  ib.cancelOrder(resting);
  await cancelled;
  steps.cancel = true;

  const held = heard(ib, EventName.position);
  ib.reqPositions();
  steps.position = (await held)[2];

  const gone = heard(ib, EventName.disconnected);
  ib.disconnect();
  await gone;
  const again = await connected();
  let seen = 0;
  again.ib.on(EventName.execDetails, (_, __, execution) => (seen += execution.shares));
  const end = heard(again.ib, EventName.execDetailsEnd);
  again.ib.reqExecutions(3, {});
  await end;
  steps["executions after reconnect"] = seen;
  again.ib.disconnect();
};

story().then(() => finish(""), (error) => finish(`${error}, ${errors.slice(-3)}`));
