-- The role of the service, which has the rights that `shop migrate` gives it. The image runs this when it makes its data.
\getenv password SERVICE_PASSWORD
CREATE ROLE service LOGIN PASSWORD :'password';
