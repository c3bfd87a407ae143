-- What several tables need.

CREATE SCHEMA IF NOT EXISTS lake;
CREATE SCHEMA IF NOT EXISTS mart;

CREATE TEMP MACRO filled(value) AS
    CASE WHEN trim(value, e' \t\r\n') <> '' THEN value END;

CREATE TEMP MACRO band(used, entitled) AS CASE
    WHEN entitled = 0 THEN 'unentitled'
    WHEN used = 0 THEN 'unused'
    WHEN round(used / entitled, 9) >= 1.0 THEN 'over'
    WHEN round(used / entitled, 9) >= 0.7 THEN 'healthy'
    WHEN round(used / entitled, 9) >= 0.3 THEN 'low'
    ELSE 'at_risk'
END;
