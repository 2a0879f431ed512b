#!/usr/bin/env escript
%% An AMQP client with a certificate, and RabbitMQ's own reader of URIs. ERL_LIBS holds the broker's plugins.
%%   uri URI…                                             what amqp_uri:parse/1 makes of each
%%   login ADDRESS PORT NAME FOLDER CERTIFICATE           one login; CERTIFICATE is a stem, or none
%%   hold ADDRESS PORT NAME FOLDER CERTIFICATE            one login that stays
%%   declare ADDRESS PORT NAME FOLDER CERTIFICATE         makes the federated exchange and a queue
%%   cross UP-ADDRESS UP-NAME DOWN-ADDRESS DOWN-NAME PORT FOLDER CERTIFICATE
%%                                                        publishes at one broker until it arrives at the other
-include_lib("amqp_client/include/amqp_client.hrl").

-define(EXCHANGE, <<"fed.events">>).
-define(QUEUE, <<"fed.copy">>).

main(Arguments) ->
    try run(Arguments)
    catch Class:Reason ->
        io:format("~p: ~0p~n", [Class, Reason]),
        halt(1)
    end.

run(["uri" | Uris]) ->
    [io:format("~s~n", [read(Uri)]) || Uri <- Uris];
run(["login", Address, Port, Name, Folder, Certificate]) ->
    case connect(Address, Port, Name, Folder, Certificate) of
        {ok, Connection} ->
            io:format("accepted~n"),
            amqp_connection:close(Connection);
        {error, Reason} ->
            io:format("refused: ~0p~n", [Reason])
    end;
run(["hold", Address, Port, Name, Folder, Certificate]) ->
    {ok, _} = connect(Address, Port, Name, Folder, Certificate),
    timer:sleep(infinity);
run(["declare", Address, Port, Name, Folder, Certificate]) ->
    {ok, Connection} = connect(Address, Port, Name, Folder, Certificate),
    {ok, Channel} = amqp_connection:open_channel(Connection),
    #'exchange.declare_ok'{} = amqp_channel:call(Channel,
        #'exchange.declare'{exchange = ?EXCHANGE, type = <<"topic">>, durable = true}),
    #'queue.declare_ok'{} = amqp_channel:call(Channel, #'queue.declare'{queue = ?QUEUE, durable = true}),
    #'queue.bind_ok'{} = amqp_channel:call(Channel,
        #'queue.bind'{queue = ?QUEUE, exchange = ?EXCHANGE, routing_key = <<"#">>}),
    amqp_connection:close(Connection),
    io:format("declared~n");
run(["cross", UpAddress, UpName, DownAddress, DownName, Port, Folder, Certificate]) ->
    {ok, Up} = connect(UpAddress, Port, UpName, Folder, Certificate),
    {ok, Down} = connect(DownAddress, Port, DownName, Folder, Certificate),
    {ok, From} = amqp_connection:open_channel(Up),
    {ok, To} = amqp_connection:open_channel(Down),
    io:format("~s~n", [cross(From, To, 100)]),
    amqp_connection:close(Up),
    amqp_connection:close(Down).

%% One line: what is said goes by the names of the parameters, what is not said is left out.
read(Uri) ->
    case amqp_uri:parse(Uri) of
        {ok, #amqp_params_network{host = Host, port = Port, virtual_host = VHost, username = User,
                                  ssl_options = Options, auth_mechanisms = Mechanisms}} ->
            Names = [element(2, erlang:fun_info(Login, env)) || Login <- Mechanisms],
            Said = [io_lib:format(" ~s=~s", [Key, text(proplists:get_value(Key, Options))])
                    || Key <- [cacertfile, certfile, keyfile, verify, server_name_indication, versions],
                       proplists:is_defined(Key, Options)],
            io_lib:format("~s:~p ~0p ~s~s mechanisms=~0p", [Host, Port, VHost, User, Said, Names]);
        {error, _} ->
            "error"
    end.

text(Value) when is_atom(Value) -> atom_to_list(Value);
text(Value) -> [io_lib:format(if C < 127 -> "~c"; true -> "<~.16B>" end, [C]) || C <- Value].

cross(_, _, 0) -> "lost";
cross(From, To, Left) ->
    Publish = #'basic.publish'{exchange = ?EXCHANGE, routing_key = <<"a.b">>},
    ok = amqp_channel:cast(From, Publish, #amqp_msg{payload = <<"across">>}),
    timer:sleep(100),
    case amqp_channel:call(To, #'basic.get'{queue = ?QUEUE, no_ack = true}) of
        {#'basic.get_ok'{}, #amqp_msg{payload = <<"across">>}} -> "crossed";
        #'basic.get_empty'{} -> cross(From, To, Left - 1)
    end.

connect(Address, Port, Name, Folder, Certificate) ->
    logger:set_primary_config(level, none),
    {ok, _} = application:ensure_all_started(amqp_client),
    Own = case Certificate of
        "none" -> [];
        Stem -> [{certfile, filename:join(Folder, Stem ++ "_certificate.pem")},
                 {keyfile, filename:join(Folder, Stem ++ "_key.pem")}]
    end,
    amqp_connection:start(#amqp_params_network{
        host = Address, port = list_to_integer(Port), connection_timeout = 20000,
        auth_mechanisms = [fun amqp_auth_mechanisms:external/3],
        ssl_options = Own ++ [{cacertfile, filename:join(Folder, "ca_certificate.pem")},
                              {verify, verify_peer}, {server_name_indication, Name}, {versions, ['tlsv1.2']}]}).
