// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Runs a workflow, watches its events, reads the result:
//   valac --disable-since-check --pkg nebula-1 run-workflow.vala && ./run-workflow

const string ORDER = """
nebula: 1
name: order
nodes:
  order: { action: data.set, with: { total: "{{ $input.lines | sum (line => line.quantity * line.price) }}" } }
output:
  total: "{{ $nodes.order.result.total }}"
  review: "{{ $nodes.order.result.total > 50 }}"
""";

const string INPUT = """{"lines": [{"quantity": 40, "price": 0.5}, {"quantity": 2, "price": 35.25}]}""";

async void run_order (Nebula.Engine engine) throws Error {
    var workflow = Nebula.Workflow.read_bytes (new Bytes (ORDER.data), null, null);
    var plan = engine.deploy (workflow, null);
    var input = Nebula.Value.parse_json (INPUT, -1, Nebula.JsonFlags.NONE);
    var execution = engine.start (plan, input, null);

    yield execution.wait_async (null);
    engine.get_event_bus ().deliver ();
    print ("output: %s\n", execution.get_output ().to_json (Nebula.JsonFlags.NONE));
    print ("status: %s\n", execution.get_report ().get_member_string ("status", ""));
}

int main () {
    var loop = new MainLoop ();
    int status = 0;

    try {
        var registry = new Nebula.Registry ();
        registry.load ();
        var engine = new Nebula.Engine (registry, null, null);
        engine.get_event_bus ().event["node.completed"].connect (
            (event) => print ("completed: %s\n", event.get_node ()));

        run_order.begin (engine, (object, result) => {
            try {
                run_order.end (result);
            } catch (Error error) {
                printerr ("%s\n", error.message);
                status = 1;
            }
            loop.quit ();
        });
        loop.run ();
        engine.stop ();
    } catch (Error error) {
        printerr ("%s\n", error.message);
        status = 1;
    }
    return status;
}
