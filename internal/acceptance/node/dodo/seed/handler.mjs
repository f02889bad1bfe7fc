// The example of a webhook handler, as it stands but for TypeScript's types and the quotes of its
// mail, which are lost in the text. What it calls is noted in calls.
export const calls = [];
const note = (name) => async (...args) => void calls.push([name, ...args]);
const prisma = {
  creditBalance: { upsert: note('upsert'), update: note('update') },
  overageRecord: { create: note('create') },
};
const sendEmail = note('sendEmail');
const sendCreditExpiryNotification = note('sendCreditExpiryNotification');
const NextResponse = Response;

export async function POST(req) {
  const event = await req.json();

  switch (event.type) {
    case 'credit.added': await handleCreditAdded(event.data); break;
    case 'credit.deducted': await handleCreditDeducted(event.data); break;
    case 'credit.balance_low': await handleBalanceLow(event.data); break;
    case 'credit.expired': await handleCreditExpired(event.data); break;
    case 'credit.overage_charged': await handleOverageCharged(event.data); break;
  }

  return NextResponse.json({ received: true });
}

async function handleCreditAdded(data) {
  const { customer_id, credit_entitlement_id, amount, balance_after } = data;

  // Update internal records
  await prisma.creditBalance.upsert({
    where: { customerId_creditId: { customerId: customer_id, creditId: credit_entitlement_id } },
    create: { customerId: customer_id, creditId: credit_entitlement_id, balance: balance_after },
    update: { balance: balance_after },
  });
}

async function handleCreditDeducted(data) {
  const { customer_id, credit_entitlement_id, amount, balance_after } = data;

  await prisma.creditBalance.update({
    where: { customerId_creditId: { customerId: customer_id, creditId: credit_entitlement_id } },
    data: { balance: balance_after },
  });
}

async function handleBalanceLow(data) {
  const { customer_id, credit_entitlement_name, available_balance, threshold_percent, } = data;

  // Notify the customer
  await sendEmail(customer_id, {
    subject: `Your ${credit_entitlement_name} balance is running low`,
    body: `You have ${available_balance} credits remaining (${threshold_percent}% threshold reached). Consider upgrading your plan or purchasing additional credits.`,
  });
}

async function handleCreditExpired(data) {
  const { customer_id, credit_entitlement_id, amount, balance_after } = data;

  await prisma.creditBalance.update({
    where: { customerId_creditId: { customerId: customer_id, creditId: credit_entitlement_id } },
    data: { balance: balance_after },
  });

  // Optionally notify customer
  await sendCreditExpiryNotification(customer_id, amount);
}

async function handleOverageCharged(data) {
  const { customer_id, credit_entitlement_id, amount, overage_after } = data;

  // Track overage for billing
  await prisma.overageRecord.create({
    data: { customerId: customer_id, creditId: credit_entitlement_id, amount, overageBalance: overage_after },
  });
}
