var api = location.hostname + ':8000';
var auth = 'http://server:2800/login';
